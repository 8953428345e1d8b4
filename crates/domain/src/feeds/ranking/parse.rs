//! Reading formulas.

use std::collections::BTreeMap;

use super::decay::Decay;

/// The longest formula, in bytes.
const BYTES_MAX: usize = 2048;
/// The deepest nesting of brackets, signs, powers and choices.
const DEPTH_MAX: usize = 48;
/// The most arguments of a call.
const ARGUMENTS_MAX: usize = 16;

/// A formula.
#[derive(Debug)]
pub(super) enum Expression {
    Number(f64),
    /// A field of the activity or an external variable, by its dotted name.
    Variable(String),
    Negative(Box<Expression>),
    Not(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
    And,
    Or,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Function {
    Decay(String),
    Ln,
    Log,
    Sin,
    Cos,
    Tan,
    Abs,
    Min,
    Max,
    Trunc,
    Round,
    Rand,
    RandNormal,
    ToUnixTimestamp,
    /// With the radius of the earth in the unit asked for.
    Dist(f64),
}

impl Expression {
    /// The names of all variables.
    pub(super) fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect(&mut names);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn collect<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Expression::Number(_) => {}
            Expression::Variable(name) => names.push(name),
            Expression::Negative(of) | Expression::Not(of) => of.collect(names),
            Expression::Binary(_, left, right) => [left, right].into_iter().for_each(|part| part.collect(names)),
            Expression::Choice(condition, then, other) => {
                [condition, then, other].into_iter().for_each(|part| part.collect(names));
            }
            Expression::Call(_, arguments) => arguments.iter().for_each(|argument| argument.collect(names)),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Number(f64),
    Word(String),
    Mark(&'static str),
}

const MARKS: [&str; 19] =
    ["<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "^", "%", "<", ">", "!", "?", ":", "(", ")"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let end = number_end(rest);
            tokens.push(Token::Number(rest[..end].parse().map_err(|_| format!("`{}` is not a number", &rest[..end]))?));
            end
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else if first == '"' || first == '\'' {
            let end = rest[1..].find(first).ok_or("a text has no end")? + 1;
            tokens.push(Token::Word(rest[1..end].to_owned()));
            end + 1
        } else if first == ',' {
            tokens.push(Token::Mark(","));
            1
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
            let mark = mark.ok_or_else(|| format!("`{first}` has no meaning in a formula"))?;
            tokens.push(Token::Mark(mark));
            mark.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Where a number ends, its exponent included.
fn number_end(text: &str) -> usize {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let end = digits(text);
    let Some(exponent) = text[end..].strip_prefix('e') else { return end };
    let sign = usize::from(exponent.starts_with(['+', '-']));
    match digits(&exponent[sign..]) {
        0 => end,
        length => end + 1 + sign + length,
    }
}

/// Reads a formula in lower case.
pub(super) fn formula(text: &str, functions: &BTreeMap<String, Decay>) -> Result<Expression, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("a formula has at most {BYTES_MAX} bytes"));
    }
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0, functions };
    let expression = reader.choice()?;
    match reader.tokens.get(reader.at) {
        None => Ok(expression),
        Some(token) => Err(format!("the formula goes on after its end with {token:?}")),
    }
}

/// Operators, the loosest first; those of a row bind alike.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[("==", Operator::Equal), ("!=", Operator::Unequal)],
    &[("<=", Operator::LessOrEqual), (">=", Operator::GreaterOrEqual), ("<", Operator::Less), (">", Operator::Greater)],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

struct Reader<'f> {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    functions: &'f BTreeMap<String, Decay>,
}

type Parsed = Result<Expression, String>;

impl Reader<'_> {
    fn take(&mut self, mark: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some(Token::Mark(next)) if *next == mark);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.take(mark) { Ok(()) } else { Err(format!("the formula lacks a `{mark}`")) }
    }

    /// Reads something that may hold itself.
    fn deeper(&mut self, read: fn(&mut Self) -> Parsed) -> Parsed {
        if self.depth == DEPTH_MAX {
            return Err(format!("a formula nests at most {DEPTH_MAX} deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn choice(&mut self) -> Parsed {
        let condition = self.level(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let then = self.deeper(Self::choice)?;
        self.expect(":")?;
        let other = self.deeper(Self::choice)?;
        Ok(Expression::Choice(Box::new(condition), Box::new(then), Box::new(other)))
    }

    fn level(&mut self, level: usize) -> Parsed {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(mark, _)| self.take(mark)) {
            left = Expression::Binary(*operator, Box::new(left), Box::new(self.level(level + 1)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        if self.take("-") {
            Ok(Expression::Negative(Box::new(self.deeper(Self::unary)?)))
        } else if self.take("+") {
            self.deeper(Self::unary)
        } else if self.take("!") {
            Ok(Expression::Not(Box::new(self.deeper(Self::unary)?)))
        } else {
            self.power()
        }
    }

    /// Powers bind to the right, and closer than a sign before them.
    fn power(&mut self) -> Parsed {
        let base = self.primary()?;
        match self.take("^") {
            true => Ok(Expression::Binary(Operator::Power, Box::new(base), Box::new(self.deeper(Self::unary)?))),
            false => Ok(base),
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self.tokens.get(self.at).cloned().ok_or("the formula ends too early")?;
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Mark("(") => {
                let inner = self.deeper(Self::choice)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Mark(mark) => Err(format!("`{mark}` stands where a value should")),
            Token::Word(name) if self.take("(") => self.call(&name),
            Token::Word(name) => Ok(Expression::Variable(name)),
        }
    }

    fn call(&mut self, name: &str) -> Parsed {
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.deeper(Self::choice)?);
            if arguments.len() > ARGUMENTS_MAX {
                return Err(format!("`{name}` has more than {ARGUMENTS_MAX} arguments"));
            }
        }
        let (function, counts): (Function, &[usize]) = match name {
            _ if self.functions.contains_key(name) => (Function::Decay(name.to_owned()), &[1]),
            "ln" => (Function::Ln, &[1]),
            "log" => (Function::Log, &[1]),
            "sin" => (Function::Sin, &[1]),
            "cos" => (Function::Cos, &[1]),
            "tan" => (Function::Tan, &[1]),
            "abs" => (Function::Abs, &[1]),
            "trunc" => (Function::Trunc, &[1]),
            "round" => (Function::Round, &[1]),
            "to_unix_timestamp" => (Function::ToUnixTimestamp, &[1]),
            "rand" => (Function::Rand, &[0, 2]),
            "rand_normal" => (Function::RandNormal, &[0, 4]),
            "min" => (Function::Min, &[]),
            "max" => (Function::Max, &[]),
            "dist" => (Function::Dist(radius(arguments.pop())?), &[4]),
            _ => return Err(format!("there is no function `{name}`")),
        };
        let fits = if counts.is_empty() { !arguments.is_empty() } else { counts.contains(&arguments.len()) };
        if fits { Ok(Expression::Call(function, arguments)) } else { Err(format!("`{name}` takes other arguments")) }
    }
}

/// The radius of the earth in a unit: kilometres, miles, nautical miles.
fn radius(unit: Option<Expression>) -> Result<f64, String> {
    let Some(Expression::Variable(unit)) = unit else {
        return Err("`dist` takes four numbers and a unit".to_owned());
    };
    match unit.as_str() {
        "km" => Ok(6371.0),
        "m" => Ok(3958.8),
        "n" => Ok(3440.1),
        _ => Err(format!("`{unit}` is not a unit of `dist`; use km, M or N")),
    }
}
