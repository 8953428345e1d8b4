//! Every route of the chat API, on one screen, with who may call it (chat §11).

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    routing::{MethodFilter, on},
};

use super::{
    blocks, connect, devices, erasure, events,
    gate::{self, Callers, Handler, Operation},
    guest,
    prefix::INSIDE,
    tasks, users,
    users::standing,
    watching,
};
use crate::{
    Server,
    router::{RawParams, decoded},
};

use Callers::{Anyone, Both, Server as S};

const DELETE: MethodFilter = MethodFilter::DELETE;
const GET: MethodFilter = MethodFilter::GET;
const PATCH: MethodFilter = MethodFilter::PATCH;
const POST: MethodFilter = MethodFilter::POST;

/// The routes of the chat API.
pub(crate) fn routes(server: &Arc<Server>) -> Router {
    Routes { server, router: Router::new() }
        // method path        operation          callers  handler
        // Channels.
        .route(POST, "channels/delete", "DeleteChannels", S, erasure::delete_channels)
        .route(POST, "channels/{type}/{id}/event", "SendEvent", Both, events::send)
        .route(POST, "channels/{type}/{id}/stop-watching", "StopWatchingChannel", Callers::Readers, watching::stop)
        // Users.
        .route(GET, "users", "QueryUsers", Both, users::query)
        .route(POST, "users", "UpdateUsers", Both, users::upsert)
        .route(PATCH, "users", "UpdateUsersPartial", Both, users::patch)
        .route(GET, "users/block", "GetBlockedUsers", Both, blocks::list)
        .route(POST, "users/block", "BlockUsers", Both, blocks::add)
        .route(POST, "users/unblock", "UnblockUsers", Both, blocks::remove)
        .route(POST, "users/deactivate", "DeactivateUsers", S, erasure::deactivate_users)
        .route(POST, "users/delete", "DeleteUsers", S, erasure::delete_users)
        .route(POST, "users/reactivate", "ReactivateUsers", S, erasure::reactivate_users)
        .route(POST, "users/restore", "RestoreUsers", S, standing::restore)
        .route(DELETE, "users/{id}", "DeleteUser", S, standing::delete)
        .route(POST, "users/{id}/deactivate", "DeactivateUser", S, standing::deactivate)
        .route(POST, "users/{id}/event", "SendUserCustomEvent", S, events::send_to_user)
        .route(POST, "users/{id}/reactivate", "ReactivateUser", S, standing::reactivate)
        .route(POST, "guest", "CreateGuest", Anyone, guest::create)
        // Devices.
        .route(GET, "devices", "ListDevices", Both, devices::list)
        .route(POST, "devices", "CreateDevice", Both, devices::add)
        .route(DELETE, "devices", "DeleteDevice", Both, devices::remove)
        // Tasks and the socket.
        .route(GET, "tasks/{task}", "GetTask", S, tasks::get)
        .route(POST, "sync", "Sync", Both, events::sync)
        .socket("connect")
        .socket("ws")
        .router
}

/// Routes below [`INSIDE`], each behind the gate.
struct Routes<'s> {
    server: &'s Arc<Server>,
    router: Router,
}

impl Routes<'_> {
    fn route<Args: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        name: &'static str,
        callers: Callers,
        handler: impl Handler<Args>,
    ) -> Self {
        let (server, operation) = (self.server.clone(), Operation { name, callers });
        let answer = async move |params: RawParams, request: Request| {
            gate::answer(server, operation, decoded(params), request, handler).await
        };
        Routes { router: self.router.route(&format!("{INSIDE}/{path}"), on(method, answer)), ..self }
    }

    /// Where WebSockets are opened; who may is told inside.
    fn socket(self, path: &str) -> Self {
        let server = self.server.clone();
        let answer = async move |request: Request| connect::connect(server, request).await;
        Routes { router: self.router.route(&format!("{INSIDE}/{path}"), on(MethodFilter::GET, answer)), ..self }
    }
}
