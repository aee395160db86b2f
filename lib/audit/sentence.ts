import type { RecordFields } from "@/lib/audit/record";

/** Controls and marks of direction: others' names and addresses must not rearrange what is said of them. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What a person reads first about an entry. Pure: made from the record alone, so the chain covers what is said. */
export const toSentence = (record: RecordFields): string => said(record).replaceAll(STEERING, "\ufffd");

function said(record: RecordFields): string {
  const type = String(record.event_type ?? "");
  const special = SENTENCES[type];
  if (special !== undefined) return special(record);
  return record.outcome === "denied" ? deniedSentence(record) : plainSentence(record, type);
}

type Say = (record: RecordFields) => string;

const SENTENCES: Readonly<Record<string, Say>> = {
  "tool_call.started": (record) =>
    `${who(record)} is calling ${toolOf(record)}${record.reason_code === "arguments_unchecked" ? ", with arguments that were not checked" : ""}.`,
  "tool_call.finished": finishedSentence,
  "tool_call.denied": deniedSentence,
  "tool_call.refused": refusedSentence,
  "tool_call.lost": (record) =>
    `Unknown outcome: ${lower(who(record))} called ${toolOf(record)}, and ${lostBecause(record)}.`,
  "tool_call.answer_withheld": (record) =>
    `Withheld: ${lower(who(record))} never got the answer of ${toolOf(record)}, because the trail did not record it in time.`,
  "tool_call.not_resumed": notResumedSentence,
  "tool_call.finished_late": (record) => `Too late to be its outcome: ${lower(lateSentence(record))}`,
  "question.answered": (record) =>
    record.outcome === "success"
      ? `${who(record)} answered ${record.target}, which ${toolOf(record)} asked of it.`
      : `${who(record)} gave no answer to ${record.target}, which ${toolOf(record)} asked of it.`,
  "tool_list.searched": (record) => `${who(record)} searched the tools it may call and was shown ${record.count ?? 0}.`,
  "tool_list.read": (record) => `${who(record)} listed the tools it may call.`,
  "resource_list.read": (record) => `${who(record)} listed the resources it may read.`,
  "prompt_list.read": (record) => `${who(record)} listed the prompts it may get.`,
  "access.denied": deniedSentence,
  "authentication.refused": (record) =>
    `${refusals(record, "request")} without a valid credential${ofAgent(record)}${from(record)}${why(record)}.`,
  "session.opened": (record) => `${who(record)} signed in${from(record)}.`,
  "session.closed": closedSentence,
  "session.tenant_switched": (record) => `${who(record)} switched to another tenant.`,
  "session.refused": (record) => `${refusals(record, "sign-in")}${from(record)}${why(record)}.`,
  "server.became_unavailable": (record) => `Server ${record.target} stopped answering: ${reasonWords(record)}.`,
  "server.recovered": (record) => `Server ${record.target} answers again.`,
  "server.tools_changed": (record) => `Server ${record.target} changed the tools it offers.`,
  "tool_definition.held": (record) => `Held for review: ${record.target} is defined otherwise than was approved.`,
  "tool_definition.accepted": (record) => `${who(record)} accepted the definition of ${record.target}.`,
  "tool_definition.rejected": (record) => `${who(record)} rejected the definition of ${record.target}.`,
  "circuit.opened": (record) => `The circuit of ${record.target} opened${because(record)}.`,
  "circuit.closed": (record) =>
    record.actor_type === "system"
      ? `The circuit of ${record.target} closed${because(record)}.`
      : `${who(record)} closed the circuit of ${record.target}${because(record)}.`,
  "circuit.tripped": (record) => `${who(record)} tripped the circuit of ${record.target}${because(record)}.`,
  "circuit.disabled": (record) => `${who(record)} disabled the circuit of ${record.target}${because(record)}.`,
  "circuit.reset": (record) => `${who(record)} reset the circuit of ${record.target}${because(record)}.`,
  "kill_switch.thrown": (record) => `${who(record)} stopped ${record.target} by kill switch${because(record)}.`,
  "kill_switch.lifted": (record) => `${who(record)} lifted the kill switch of ${record.target}${because(record)}.`,
  "alert.acknowledged": (record) => `${who(record)} acknowledged the alert ${record.target}${because(record)}.`,
  "alert.annotated": (record) => `${who(record)} added a note to the alert ${record.target}${because(record)}.`,
  "trail.searched": (record) => `${who(record)} read the trail${record.target ? ` (${record.target})` : ""}.`,
  "trail.verified": (record) => `${who(record)} verified the chain: ${record.target}.`,
  "trail.exported": (record) => `${who(record)} exported ${record.target}.`,
  "payload.read": (record) => `${who(record)} opened the arguments and result of entry ${record.target}.`,
};

const because = (record: RecordFields): string =>
  record.reason === undefined ? "" : `: ${trimStop(String(record.reason))}`;

function finishedSentence(record: RecordFields): string {
  const called = `${who(record)} called ${toolOf(record)}`;
  const time = duration(record.latency_ms);
  const within = time === "" ? "" : ` in ${time}`;
  if (record.outcome === "success" && record.reason_code === "input_required") {
    return `${called} and was asked for something first${within}.`;
  }
  if (record.outcome === "success") return `${called} and got an answer${within}.`;
  const after = time === "" ? "" : ` after ${time}`;
  return `${called}, which failed${after}: ${reasonWords(record)}.`;
}

/** Not everybody whose session ended signed out. */
function closedSentence(record: RecordFields): string {
  switch (record.reason_code) {
    case "idle":
      return `A session of ${who(record)} ended because it was not used.`;
    case "expired":
      return `A session of ${who(record)} ended because its time was over.`;
    case "replaced":
      return `${who(record)} signed in anew, which ended the session before.`;
    case "revoked": {
      const what = typeof record.count === "number" ? `${record.count} sessions` : "a session";
      const whose = record.target === record.actor_name ? "of their own" : `of ${record.target}`;
      return `${who(record)} ended ${what} ${whose}${because(record)}.`;
    }
    default:
      return `${who(record)} signed out.`;
  }
}

/** Its server asked for something, which was the outcome; this is what became of it then. */
function notResumedSentence(record: RecordFields): string {
  const [tool, caller] = [toolOf(record), lower(who(record))];
  switch (record.reason_code) {
    case "client_never_returned":
      return `Never resumed: ${caller} did not come back with what ${tool} asked for, and the server's call was ended${afterMinutes(record.latency_ms)}.`;
    case "answer_not_fetched":
      return `Never resumed: ${tool} went on without ${caller}, which did not come back for the answer.`;
    default:
      return `Never resumed: ${tool} ended while it waited for ${caller}: ${reasonWords(record)}.`;
  }
}

function afterMinutes(ms: string | number | undefined): string {
  if (typeof ms !== "number") return "";
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return ` after ${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
}

/** Its caller was told that nobody knows what came of the call, so it never got the answer. */
function lateSentence(record: RecordFields): string {
  if (record.outcome !== "success") return finishedSentence(record);
  const time = duration(record.latency_ms);
  return `${who(record)} called ${toolOf(record)}, whose answer${time === "" ? "" : ` after ${time}`} was withheld.`;
}

function deniedSentence(record: RecordFields): string {
  if (typeof record.count === "number" && record.count > 1) return deniedOften(record, record.count);
  const what = record.tool === undefined ? record.target : toolOf(record);
  // Some are allowed by the map and refused for another reason.
  if (record.permission !== undefined && (record.reason_code ?? "permission_denied") === "permission_denied") {
    return `Denied: ${lower(who(record))} lacks ${record.permission}, needed for ${what}.`;
  }
  return `Denied: ${lower(who(record))} may not ${record.tool === undefined ? "do" : "call"} ${what}${why(record)}.`;
}

/** Of several together it is known only what is true of each. */
function deniedOften(record: RecordFields, times: number): string {
  const lacks = record.permission ?? "several permissions";
  return `Denied ${times} times: ${lower(who(record))} lacks ${lacks}${record.target === undefined ? "" : `, needed for ${record.target}`}.`;
}

function refusedSentence(record: RecordFields): string {
  return `Refused: ${lower(who(record))} asked for ${toolOf(record)}, and nothing was called: ${reasonWords(record)}.`;
}

function plainSentence(record: RecordFields, type: string): string {
  const dot = type.indexOf(".");
  const noun = type.slice(0, dot).replaceAll("_", " ");
  const verb = type.slice(dot + 1).replaceAll("_", " ");
  const times = typeof record.count === "number" && record.count > 1 ? ` (${record.count} times)` : "";
  const failed = record.outcome === "failure" ? `, which failed: ${reasonWords(record)}` : "";
  const target = record.target === undefined ? "" : ` ${record.target}`;
  return `${who(record)} ${verb} ${noun}${target}${times}${failed}.`;
}

function who(record: RecordFields): string {
  const name = record.actor_name ?? record.actor_id ?? "somebody";
  switch (record.actor_type) {
    case "agent":
      return `Agent ${name}`;
    case "user":
      return String(name);
    case "system":
      return `The gateway (${name})`;
    default:
      return "Somebody unknown";
  }
}

/** In the middle of a sentence; names of people keep their case. */
const lower = (subject: string): string =>
  subject.replace(/^(Agent|The gateway|Somebody)/, (word) => word.toLowerCase());

function toolOf(record: RecordFields): string {
  if (record.tool === undefined) return String(record.target ?? "a tool");
  return record.server === undefined ? String(record.tool) : `${record.server}__${record.tool}`;
}

const from = (record: RecordFields): string => (record.src_ip === undefined ? "" : ` from ${record.src_ip}`);
const why = (record: RecordFields): string =>
  record.reason_code === undefined && record.reason === undefined ? "" : ` (${reasonWords(record)})`;

const ofAgent = (record: RecordFields): string => (record.actor_type === "agent" ? ` of ${lower(who(record))}` : "");

function refusals(record: RecordFields, what: string): string {
  return typeof record.count === "number" && record.count > 1
    ? `${record.count} ${what}s were refused`
    : `A ${what} was refused`;
}

const REASONS: Readonly<Record<string, string>> = {
  audit_unavailable: "the trail could not be written",
  cancelled: "the caller cancelled it",
  definition_held: "its definition changed and waits for review",
  circuit_open: "the circuit of this server is open after repeated failures",
  invalid_arguments: "the arguments were not what the tool asks for",
  killed: "a kill switch stopped it",
  overloaded: "too many calls were running",
  permission_denied: "the permission is missing",
  rate_limited: "too many calls in a short time",
  server_disabled: "the server is switched off",
  tool_error: "the tool reported an error",
  upstream_error: "the server answered with an error",
  upstream_protocol: "the server's answer could not be understood",
  upstream_timeout: "the server did not answer in time",
  upstream_unreachable: "the server could not be reached",
};

function reasonWords(record: RecordFields): string {
  const code = String(record.reason_code ?? "");
  const known = REASONS[code] ?? (record.reason === undefined ? code.replaceAll("_", " ") : String(record.reason));
  return trimStop(known === "" ? "no reason was given" : known);
}

function lostBecause(record: RecordFields): string {
  return record.reason_code === "outcome_unrecorded"
    ? "what came of it could not be recorded"
    : "the gateway stopped before the call ended";
}

const trimStop = (text: string): string => (text.endsWith(".") ? text.slice(0, -1) : text);

function duration(ms: string | number | undefined): string {
  if (typeof ms !== "number") return "";
  if (ms < 1) return "under 1 ms";
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
