//! Reading templates. Whatever is not understood makes the whole template broken.

use ids::Timestamp;
use serde_json::Value as Json;

use super::{Expression, Node, Value};

/// The deepest nesting of branches, brackets and negations.
const DEPTH_MAX: usize = 32;

/// What stands between texts.
#[derive(PartialEq, Debug)]
enum Tag<'t> {
    Show(&'t str),
    Do(&'t str),
}

/// Texts and tags that were not read yet.
type Pieces<'i, 't> = dyn Iterator<Item = (String, Option<Tag<'t>>)> + 'i;

/// Texts and tags in order; a dash inside a tag takes the white space beside it.
fn pieces(text: &str) -> Option<Vec<(String, Option<Tag<'_>>)>> {
    let (mut pieces, mut rest, mut trims) = (Vec::new(), text, false);
    loop {
        let start = ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min();
        let (before, after) = rest.split_at(start.unwrap_or(rest.len()));
        let before = if trims { before.trim_start() } else { before };
        if after.is_empty() {
            pieces.push((before.to_owned(), None));
            return Some(pieces);
        }
        let end = match &after[..2] {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        let close = after[2..].find(end)? + 2;
        let (inner, is_show) = (&after[2..close], end == "}}");
        let (left, inner) = match inner.strip_prefix('-') {
            Some(inner) => (before.trim_end(), inner),
            None => (before, inner),
        };
        trims = inner.ends_with('-') && end != "#}";
        let inner = if trims { &inner[..inner.len() - 1] } else { inner };
        let tag = match end {
            "#}" => None,
            _ if is_show => Some(Tag::Show(inner)),
            _ => Some(Tag::Do(inner.trim())),
        };
        pieces.push((left.to_owned(), tag));
        rest = &after[close + 2..];
    }
}

/// The whole template.
pub(super) fn nodes(text: &str) -> Option<Vec<Node>> {
    let pieces = pieces(text)?;
    let mut pieces = pieces.into_iter();
    let (nodes, end) = block(&mut pieces, 0)?;
    end.is_none().then_some(nodes)
}

/// Nodes up to a tag that ends them.
fn block<'t>(pieces: &mut Pieces<'_, 't>, depth: usize) -> Option<(Vec<Node>, Option<&'t str>)> {
    let mut nodes = Vec::new();
    if depth > DEPTH_MAX {
        return None;
    }
    while let Some((text, tag)) = pieces.next() {
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        match tag {
            None => {}
            Some(Tag::Show(inner)) => nodes.push(Node::Show(expression(inner)?)),
            Some(Tag::Do(inner)) => match inner.strip_prefix("if ") {
                Some(condition) => nodes.push(branches(pieces, condition, depth)?),
                None => return Some((nodes, Some(inner))),
            },
        }
    }
    Some((nodes, None))
}

fn branches<'t>(pieces: &mut Pieces<'_, 't>, condition: &'t str, depth: usize) -> Option<Node> {
    let (mut branches, mut condition) = (Vec::new(), condition);
    loop {
        let (nodes, end) = block(pieces, depth + 1)?;
        branches.push((expression(condition)?, nodes));
        match end? {
            "endif" => return Some(Node::If(branches, Vec::new())),
            "else" => {
                let (other, end) = block(pieces, depth + 1)?;
                return (end == Some("endif")).then_some(Node::If(branches, other));
            }
            other => condition = other.strip_prefix("elif ")?,
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Word(String),
    Text(String),
    Number(Json),
    Mark(&'static str),
}

const MARKS: [&str; 9] = ["==", "!=", ".", "|", "(", ")", "[", "]", ","];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            tokens.push(Token::Mark(mark));
            mark.len()
        } else if first == '"' || first == '\'' {
            let end = rest[1..].find(first)? + 1;
            tokens.push(Token::Text(rest[1..end].to_owned()));
            end + 1
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Number(serde_json::from_str(&rest[..end]).ok()?));
            end
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            return None;
        };
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

fn expression(text: &str) -> Option<Expression> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = reader.or()?;
    (reader.at == reader.tokens.len()).then_some(expression)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn take_mark(&mut self, mark: &'static str) -> bool {
        self.take(&Token::Mark(mark))
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_next = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn or(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut left = self.and()?;
        while self.take_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn and(&mut self) -> Option<Expression> {
        let mut left = self.not()?;
        while self.take_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Some(left)
    }

    fn not(&mut self) -> Option<Expression> {
        let mut negations = 0_usize;
        while self.take_word("not") {
            negations += 1;
        }
        let inner = self.comparison()?;
        Some(match negations {
            0 => inner,
            odd if odd % 2 == 1 => Expression::Not(Box::new(inner)),
            _ => Expression::Not(Box::new(Expression::Not(Box::new(inner)))),
        })
    }

    fn comparison(&mut self) -> Option<Expression> {
        let left = self.filtered()?;
        if self.take_mark("==") {
            Some(Expression::Equal(Box::new(left), Box::new(self.filtered()?)))
        } else if self.take_mark("!=") {
            let equal = Expression::Equal(Box::new(left), Box::new(self.filtered()?));
            Some(Expression::Not(Box::new(equal)))
        } else if self.take_word("in") {
            Some(Expression::In(Box::new(left), Box::new(self.filtered()?)))
        } else if self.take_word("not") {
            if !self.take_word("in") {
                return None;
            }
            let within = Expression::In(Box::new(left), Box::new(self.filtered()?));
            Some(Expression::Not(Box::new(within)))
        } else {
            Some(left)
        }
    }

    fn filtered(&mut self) -> Option<Expression> {
        let mut value = self.member()?;
        while self.take_mark("|") {
            let Token::Word(name) = self.tokens.get(self.at)?.clone() else { return None };
            self.at += 1;
            value = match name.as_str() {
                "lower" => Expression::Lower(Box::new(value)),
                "upper" => Expression::Upper(Box::new(value)),
                "length" => Expression::Length(Box::new(value)),
                "default" => {
                    let mut arguments = self.arguments()?;
                    (arguments.len() == 1).then_some(())?;
                    Expression::Default(Box::new(value), Box::new(arguments.pop()?))
                }
                _ => return None,
            };
        }
        Some(value)
    }

    /// `( … )`.
    fn arguments(&mut self) -> Option<Vec<Expression>> {
        self.take_mark("(").then_some(())?;
        self.items(")")
    }

    /// Expressions up to the mark `end`.
    fn items(&mut self, end: &'static str) -> Option<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.take_mark(end) {
            if !items.is_empty() {
                self.take_mark(",").then_some(())?;
            }
            items.push(self.or()?);
        }
        Some(items)
    }

    fn member(&mut self) -> Option<Expression> {
        let mut value = self.primary()?;
        loop {
            if self.take_mark(".") {
                let Token::Word(name) = self.tokens.get(self.at)?.clone() else { return None };
                self.at += 1;
                value = match self.tokens.get(self.at) == Some(&Token::Mark("(")) {
                    true => self.call(value, &name)?,
                    false => Expression::Member(Box::new(value), Box::new(Expression::Constant(Value::text(name)))),
                };
            } else if self.take_mark("[") {
                let index = self.or()?;
                self.take_mark("]").then_some(())?;
                value = Expression::Member(Box::new(value), Box::new(index));
            } else {
                return Some(value);
            }
        }
    }

    fn call(&mut self, of: Expression, name: &str) -> Option<Expression> {
        let mut arguments = self.arguments()?;
        match (name, arguments.pop(), arguments.len()) {
            ("strftime", Some(Expression::Constant(Value::Json(Json::String(format)))), 0) => {
                Timestamp::from_micros(0).strftime(&format).ok()?;
                Some(Expression::Strftime(Box::new(of), format))
            }
            ("lower", None, _) => Some(Expression::Lower(Box::new(of))),
            ("upper", None, _) => Some(Expression::Upper(Box::new(of))),
            _ => None,
        }
    }

    fn primary(&mut self) -> Option<Expression> {
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        match token {
            Token::Text(text) => Some(Expression::Constant(Value::text(text))),
            Token::Number(number) => Some(Expression::Constant(Value::Json(number))),
            Token::Mark("(") => {
                let mut items = self.items(")")?;
                if items.len() == 1 { items.pop() } else { Some(Expression::List(items)) }
            }
            Token::Mark("[") => self.items("]").map(Expression::List),
            Token::Mark(_) => None,
            Token::Word(word) => match word.as_str() {
                "true" | "True" => Some(Expression::Constant(Value::truth(true))),
                "false" | "False" => Some(Expression::Constant(Value::truth(false))),
                "none" | "None" => Some(Expression::Constant(Value::Json(Json::Null))),
                "and" | "or" | "not" | "in" | "if" | "else" => None,
                _ => Some(Expression::Name(word)),
            },
        }
    }
}
