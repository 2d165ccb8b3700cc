//! One server: connected when it is needed, listed afresh before every use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientRequest, ErrorCode, ListToolsRequest,
    PaginatedRequestParams, ServerResult, Tool,
};
use rmcp::service::ServiceError;
use serde_json::Value;

use super::connection::{Connection, Way, told};
use super::pin::{Described, Pin};
use super::result;
use crate::agent::text::without_secrets;
use crate::agent::tools::Ending;
use crate::agent::{Egress, McpServerSpec};
use crate::base::Span;

/// How many pages of tools are read, and how many tools.
const MAX_PAGES: usize = 50;
const MAX_TOOLS: usize = 1000;

/// An MCP server.
pub struct McpServer {
    name: String,
    way: Way,
    timeout: Span,
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
    /// What it was last heard to offer, or why it could not be asked.
    heard: Mutex<Result<Offers, String>>,
}

/// What a server offers, by its own names for it.
type Offers = BTreeMap<String, Offer>;

/// One tool that a server offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub described: Described,
    pub pin: Pin,
}

/// How a pinned tool stands with its server, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is described word for word as it was pinned.
    AsPinned,
    /// It is described otherwise, or not offered any more.
    Changed {
        why: String,
    },
    Unreachable {
        why: String,
    },
}

impl McpServer {
    pub(super) fn new(spec: McpServerSpec, egress: &Egress) -> Result<Self, String> {
        let McpServerSpec { name, transport, timeout } = spec;
        Ok(Self {
            name,
            way: Way::new(&transport, egress)?,
            timeout,
            connection: tokio::sync::Mutex::default(),
            heard: Mutex::new(Err("it was not asked yet".to_owned())),
        })
    }

    /// As the configuration calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address, or the program with its arguments.
    pub fn place(&self) -> String {
        self.way.place()
    }

    /// Asks for everything it offers.
    ///
    /// # Errors
    /// Why it could not be asked, for people: bounded, and without secrets.
    pub async fn offers(&self) -> Result<Vec<Offer>, String> {
        let heard = self.list().await;
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = heard.clone();
        Ok(heard?.into_values().collect())
    }

    /// How a tool stood when the server was last asked.
    pub fn standing(&self, tool: &str, pin: Pin) -> Standing {
        match &*self.heard.lock().unwrap_or_else(PoisonError::into_inner) {
            Err(why) => {
                let why = format!("the MCP server `{}` cannot be reached: {why}", self.name);
                Standing::Unreachable { why }
            }
            Ok(offers) => standing(&self.name, offers, tool, pin),
        }
    }

    /// Calls a tool once, if the server still describes it as it was pinned. Whatever breaks off
    /// after the call was sent is [`Ending::Lost`].
    pub(in crate::agent) async fn call(
        &self,
        tool: &str,
        pin: Pin,
        arguments: &Value,
        fails_cleanly: FailsCleanly,
    ) -> Ending {
        let (connection, offers) = match self.connected_offers().await {
            Ok(connected) => connected,
            Err(why) => return Ending::Refusal { why: self.without_secrets(why) },
        };
        if let Standing::Changed { why } = standing(&self.name, &offers, tool, pin) {
            return Ending::Refusal { why };
        }
        let mut call = CallToolRequestParams::new(tool.to_owned());
        call.arguments = result::arguments(arguments);
        let calling = connection.peer().call_tool_once(call);
        let ending = match tokio::time::timeout(self.timeout.to_std(), calling).await {
            Ok(answered) => ending_of(answered, fails_cleanly),
            Err(_) => Ending::Lost { why: format!("no answer within {}", self.timeout) },
        };
        if let Ending::Lost { .. } = ending {
            self.forget(&connection).await;
        }
        self.with_safe_text(ending)
    }

    async fn list(&self) -> Result<Offers, String> {
        let listed = self.connected_offers().await;
        listed.map(|(_, offers)| offers).map_err(|why| self.without_secrets(why))
    }

    /// A connection, and what was offered on it just now. A connection that turns out to be broken
    /// is replaced once: nothing but the listing was asked on it.
    async fn connected_offers(&self) -> Result<(Arc<Connection>, Offers), String> {
        let (connection, was_open) = self.connect().await?;
        match self.listed(&connection).await {
            Ok(offers) => Ok((connection, offers)),
            Err(why) => {
                self.forget(&connection).await;
                if !was_open {
                    return Err(why);
                }
                let (connection, _) = self.connect().await?;
                let offers = self.listed(&connection).await?;
                Ok((connection, offers))
            }
        }
    }

    /// The open connection or a new one, and whether it was open before.
    async fn connect(&self) -> Result<(Arc<Connection>, bool), String> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = connection.as_ref().filter(|open| !open.is_over()) {
            return Ok((Arc::clone(open), true));
        }
        *connection = None;
        let connecting = tokio::time::timeout(self.timeout.to_std(), self.way.connect());
        let new =
            connecting.await.map_err(|_| format!("no greeting within {}", self.timeout))??;
        let new = Arc::new(new);
        *connection = Some(Arc::clone(&new));
        Ok((new, false))
    }

    async fn forget(&self, broken: &Arc<Connection>) {
        let mut connection = self.connection.lock().await;
        if connection.as_ref().is_some_and(|open| Arc::ptr_eq(open, broken)) {
            *connection = None;
        }
    }

    async fn listed(&self, connection: &Connection) -> Result<Offers, String> {
        let listing = tokio::time::timeout(self.timeout.to_std(), list(connection));
        listing.await.map_err(|_| format!("no list of tools within {}", self.timeout))?
    }

    fn without_secrets(&self, text: String) -> String {
        without_secrets(text, self.way.secrets())
    }

    fn with_safe_text(&self, ending: Ending) -> Ending {
        match ending {
            Ending::Success { content } => {
                Ending::Success { content: self.without_secrets(content) }
            }
            Ending::Refusal { why } => Ending::Refusal { why: self.without_secrets(why) },
            Ending::Absent { why } => Ending::Absent { why: self.without_secrets(why) },
            Ending::Lost { why } => Ending::Lost { why: self.without_secrets(why) },
        }
    }
}

/// Whether an answer that is marked as an error says that nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum FailsCleanly {
    Yes,
    No,
}

/// Reads the whole list from the server itself. (The library's own function may answer from what
/// the server once allowed it to remember.)
async fn list(connection: &Connection) -> Result<Offers, String> {
    let mut offers = Offers::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor.take());
        let request = ListToolsRequest { params: Some(params), ..Default::default() };
        let answer = connection.peer().send_request(ClientRequest::ListToolsRequest(request)).await;
        let page = match answer.map_err(|error| told(&error))? {
            ServerResult::ListToolsResult(page) => page,
            _ => return Err("its answer is no list of tools".to_owned()),
        };
        for tool in page.tools {
            let offer = offer(tool)?;
            let name = offer.described.tool.clone();
            if offers.insert(name.clone(), offer).is_some() {
                return Err(format!("it offers two tools called `{name}`"));
            }
        }
        if offers.len() > MAX_TOOLS {
            return Err(format!("it offers more than {MAX_TOOLS} tools"));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(offers);
        }
    }
    Err(format!("its list of tools has more than {MAX_PAGES} pages"))
}

fn offer(tool: Tool) -> Result<Offer, String> {
    let described = Described {
        tool: tool.name.into_owned(),
        description: tool.description.map(std::borrow::Cow::into_owned).unwrap_or_default(),
        parameters: Value::Object((*tool.input_schema).clone()),
    };
    let pin = described.pin()?;
    Ok(Offer { described, pin })
}

fn standing(server: &str, offers: &Offers, tool: &str, pin: Pin) -> Standing {
    match offers.get(tool) {
        Some(offer) if offer.pin == pin => Standing::AsPinned,
        Some(_) => Standing::Changed {
            why: format!(
                "the MCP server `{server}` describes `{tool}` otherwise than it was pinned; an \
                 operator must look at it and pin it again"
            ),
        },
        None => {
            let why = format!("the MCP server `{server}` does not offer `{tool}` any more");
            Standing::Changed { why }
        }
    }
}

fn ending_of(
    answered: Result<CallToolResponse, ServiceError>,
    fails_cleanly: FailsCleanly,
) -> Ending {
    let result = match answered {
        Ok(CallToolResponse::Complete(result)) => result,
        // We offer no input and no tasks, so by the protocol neither can be asked of us.
        Ok(_) => return Ending::Lost { why: "its answer is no result".to_owned() },
        Err(ServiceError::McpError(error)) => {
            let why = error.message.into_owned();
            return match error.code {
                ErrorCode::INVALID_PARAMS
                | ErrorCode::INVALID_REQUEST
                | ErrorCode::METHOD_NOT_FOUND
                | ErrorCode::PARSE_ERROR => Ending::Refusal { why },
                _ => Ending::Lost { why },
            };
        }
        Err(error) => return Ending::Lost { why: told(&error) },
    };
    let content = result::text_of(&result);
    match (result.is_error, fails_cleanly) {
        (Some(true), FailsCleanly::Yes) => Ending::Refusal { why: content },
        (Some(true), FailsCleanly::No) => Ending::Lost { why: content },
        (Some(false) | None, _) => Ending::Success { content },
    }
}
