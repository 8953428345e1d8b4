//! `/roles`, `/permissions` (chat §8, §11.11).

use domain::chat::permissions::{
    catalogue::{self, Permission},
    roles::{self, Shown},
};
use ids::Timestamp;
use wire::chat::{
    dialect::{Dialect, Time},
    permissions::{OnePermission, OneRole, Permission as WirePermission, Permissions, Role as WireRole, Roles},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::reply::Reply;

/// The most roles of a page of a search.
const FOUND_MAX: usize = 100;

/// `POST /roles`: makes a role.
pub(crate) async fn create_role(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("name")?.ok_or_else(|| Error::field("name", "is a required field"))?;
    let now = call.now();
    let role = call.app.write(async |tx| roles::create(tx, &name, now).await).await?;
    let shown = Shown { name, role: Some(role), scopes: Vec::new() };
    call.answer(&OneRole { role: role_to_wire(call.dialect, &shown) })
}

/// `GET /roles`.
pub(crate) async fn list_roles(call: Call, _: Fields) -> Result<Reply> {
    let roles = roles::list(&mut call.snapshot()).await?;
    call.answer(&Roles { roles: roles.iter().map(|role| role_to_wire(call.dialect, role)).collect() })
}

/// `GET /roles/search`: roles whose names begin so.
pub(crate) async fn search_roles(call: Call, _: Fields) -> Result<Reply> {
    let query = call.query.get("query").unwrap_or_default().to_lowercase();
    let limit = call.query.number("limit", FOUND_MAX, 1..=FOUND_MAX).map_err(|error| Error::input(error.detail))?;
    let after = call.query.get("name_gt").unwrap_or_default();
    let mut roles = roles::list(&mut call.snapshot()).await?;
    roles.retain(|role| role.name.to_lowercase().starts_with(&query) && role.name.as_str() > after);
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    let shown = roles.iter().take(limit).map(|role| role_to_wire(call.dialect, role));
    call.answer(&Roles { roles: shown.collect() })
}

/// `DELETE /roles/{name}`: removes a role that nobody has and that is granted nothing.
pub(crate) async fn remove_role(call: Call, _: Fields) -> Result<Reply> {
    let name = call.param("name");
    if roles::is_held(&mut call.snapshot(), name).await? && !roles::BUILT_IN.contains(&name) {
        return Err(Error::input(format!("role \"{name}\" is held by users; give them another first")));
    }
    call.app.write(async |tx| roles::remove(tx, name).await).await?;
    call.done()
}

fn role_to_wire(dialect: Dialect, shown: &Shown) -> WireRole<'_> {
    let at = shown.role.map_or(Timestamp::from_micros(0), |role| role.created_at);
    WireRole {
        name: &shown.name,
        custom: shown.role.is_some(),
        scopes: &shown.scopes,
        created_at: Time { at, dialect },
        updated_at: Time { at, dialect },
    }
}

/// `GET /permissions`.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let permissions = catalogue::list(&mut call.snapshot()).await?;
    call.answer(&Permissions { permissions: permissions.iter().map(|(id, known)| to_wire(id, known)).collect() })
}

/// `GET /permissions/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let permission = catalogue::load(&mut call.snapshot(), call.param("id")).await?;
    call.answer(&OnePermission { permission: to_wire(call.param("id"), &permission) })
}

/// `POST /permissions`: makes a permission of the app's own.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = sent.filled("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !id.chars().all(fits) {
        return Err(Error::field("id", "may hold letters, digits, `_`, `-` and `.` only"));
    }
    let permission = permission(sent, Permission::default())?;
    call.app.write(async |tx| catalogue::create(tx, &id, &permission).await).await?;
    call.done()
}

/// `PUT /permissions/{id}`: changes what is given of a permission of the app's own.
pub(crate) async fn update(call: Call, sent: Fields) -> Result<Reply> {
    let id = call.param("id");
    let permission = permission(sent, catalogue::load_own(&mut call.snapshot(), id).await?)?;
    call.app.write(async |tx| catalogue::update(tx, id, &permission).await).await?;
    call.done()
}

/// `DELETE /permissions/{id}`: removes a permission of the app's own.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    call.app.write(async |tx| catalogue::remove(tx, call.param("id")).await).await?;
    call.done()
}

fn permission(mut sent: Fields, before: Permission) -> Result<Permission> {
    let permission = Permission {
        name: sent.filled("name")?.unwrap_or(before.name),
        description: sent.filled("description")?.unwrap_or(before.description),
        action: sent.filled("action")?.unwrap_or(before.action),
        is_owner: sent.flag("owner")?.unwrap_or(before.is_owner),
        owner_resource: sent.filled("owner_resource")?.unwrap_or(before.owner_resource),
        is_same_team: sent.flag("same_team")?.unwrap_or(before.is_same_team),
        level: sent.filled("level")?.unwrap_or(before.level),
        tags: sent.texts("tags")?.unwrap_or(before.tags),
        condition: match sent.object("condition")? {
            Some(condition) => (!condition.is_empty()).then(|| condition.rest().to_string()),
            None => before.condition,
        },
        is_custom: true,
    };
    for (name, value) in [("name", &permission.name), ("action", &permission.action)] {
        if value.is_empty() {
            return Err(Error::field(name, "is a required field"));
        }
    }
    Ok(permission)
}

fn to_wire<'a>(id: &'a str, permission: &'a Permission) -> WirePermission<'a> {
    let condition = permission.condition.as_deref();
    WirePermission {
        id,
        name: &permission.name,
        description: &permission.description,
        action: &permission.action,
        owner: permission.is_owner,
        owner_resource: &permission.owner_resource,
        same_team: permission.is_same_team,
        level: &permission.level,
        custom: permission.is_custom,
        tags: &permission.tags,
        condition: condition.map(|json| serde_json::from_str(json).expect("it was parsed before it was stored")),
    }
}
