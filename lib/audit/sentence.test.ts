import { describe, expect, it } from "vitest";
import type { RecordFields } from "@/lib/audit/record";
import { toSentence } from "@/lib/audit/sentence";

const call = (over: RecordFields): RecordFields => ({
  actor_type: "agent",
  actor_name: "triage-bot",
  server: "filesystem",
  tool: "read_file",
  ...over,
});
const act = (over: RecordFields): RecordFields => ({
  actor_type: "user",
  actor_name: "ana@clinic.test",
  outcome: "success",
  ...over,
});

describe("the sentence of an entry", () => {
  it.each([
    [
      call({ event_type: "tool_call.finished", outcome: "success", latency_ms: 12.4 }),
      "Agent triage-bot called filesystem__read_file and got an answer in 12 ms.",
    ],
    [
      call({
        event_type: "tool_call.finished",
        outcome: "failure",
        latency_ms: 30_000,
        reason_code: "upstream_timeout",
      }),
      "Agent triage-bot called filesystem__read_file, which failed after 30.0 s: the server did not answer in time.",
    ],
    [
      call({ event_type: "tool_call.finished", outcome: "success", latency_ms: 12.4, reason_code: "input_required" }),
      "Agent triage-bot called filesystem__read_file and was asked for something first in 12 ms.",
    ],
    [
      call({ event_type: "tool_call.not_resumed", reason_code: "client_never_returned", latency_ms: 600_012 }),
      "Never resumed: agent triage-bot did not come back with what filesystem__read_file asked for, and the server's call was ended after 10 minutes.",
    ],
    [
      call({ event_type: "tool_call.not_resumed", outcome: "success", reason_code: "answer_not_fetched" }),
      "Never resumed: filesystem__read_file went on without agent triage-bot, which did not come back for the answer.",
    ],
    [
      call({ event_type: "tool_call.not_resumed", outcome: "failure", reason_code: "killed" }),
      "Never resumed: filesystem__read_file ended while it waited for agent triage-bot: a kill switch stopped it.",
    ],
    [
      call({ event_type: "question.answered", outcome: "success", target: "elicitation/create" }),
      "Agent triage-bot answered elicitation/create, which filesystem__read_file asked of it.",
    ],
    [
      call({ event_type: "question.answered", outcome: "failure", target: "roots/list", reason_code: "no_answer" }),
      "Agent triage-bot gave no answer to roots/list, which filesystem__read_file asked of it.",
    ],
    [act({ event_type: "session.closed", reason_code: "signed_out" }), "ana@clinic.test signed out."],
    [
      act({ event_type: "session.closed", reason_code: "idle" }),
      "A session of ana@clinic.test ended because it was not used.",
    ],
    [
      act({ event_type: "session.closed", reason_code: "expired" }),
      "A session of ana@clinic.test ended because its time was over.",
    ],
    [
      act({ event_type: "session.closed", reason_code: "replaced" }),
      "ana@clinic.test signed in anew, which ended the session before.",
    ],
    [
      act({ event_type: "session.closed", reason_code: "revoked", target: "ana@clinic.test" }),
      "ana@clinic.test ended a session of their own.",
    ],
    [
      act({
        event_type: "session.closed",
        reason_code: "revoked",
        target: "bo@clinic.test",
        count: 2,
        reason: "Left.",
      }),
      "ana@clinic.test ended 2 sessions of bo@clinic.test: Left.",
    ],
    [
      call({ event_type: "tool_call.denied", outcome: "denied", tool: "write_file", permission: "files:write" }),
      "Denied: agent triage-bot lacks files:write, needed for filesystem__write_file.",
    ],
    [
      call({ event_type: "tool_call.refused", outcome: "failure", reason_code: "circuit_open" }),
      "Refused: agent triage-bot asked for filesystem__read_file, and nothing was called: the circuit of this server is open after repeated failures.",
    ],
    [
      call({ event_type: "tool_call.finished_late", outcome: "success", latency_ms: 12.4 }),
      "Too late to be its outcome: agent triage-bot called filesystem__read_file, whose answer after 12 ms was withheld.",
    ],
    [
      call({ event_type: "tool_call.finished_late", outcome: "failure", reason_code: "upstream_timeout" }),
      "Too late to be its outcome: agent triage-bot called filesystem__read_file, which failed: the server did not answer in time.",
    ],
    [
      call({ event_type: "tool_call.answer_withheld", outcome: "failure", reason_code: "audit_unavailable" }),
      "Withheld: agent triage-bot never got the answer of filesystem__read_file, because the trail did not record it in time.",
    ],
    [
      call({ event_type: "tool_call.lost", outcome: "unknown", reason_code: "gateway_stopped" }),
      "Unknown outcome: agent triage-bot called filesystem__read_file, and the gateway stopped before the call ended.",
    ],
    [
      call({ event_type: "tool_call.started", outcome: "pending" }),
      "Agent triage-bot is calling filesystem__read_file.",
    ],
    [
      act({
        event_type: "access.denied",
        outcome: "denied",
        permission: "servers:write",
        target: "POST /api/v1/servers",
      }),
      "Denied: ana@clinic.test lacks servers:write, needed for POST /api/v1/servers.",
    ],
    [
      act({ event_type: "access.denied", count: 12, permission: "servers:write", target: "POST /api/v1/servers" }),
      "Denied 12 times: ana@clinic.test lacks servers:write, needed for POST /api/v1/servers.",
    ],
    [
      act({ event_type: "access.denied", outcome: "denied", count: 500 }),
      "Denied 500 times: ana@clinic.test lacks several permissions.",
    ],
    [act({ event_type: "server.registered", target: "files" }), "ana@clinic.test registered server files."],
    [
      act({ event_type: "kill_switch.thrown", target: "agent scribe", reason: "It loops." }),
      "ana@clinic.test stopped agent scribe by kill switch: It loops.",
    ],
    [
      act({ event_type: "kill_switch.lifted", target: "agent scribe" }),
      "ana@clinic.test lifted the kill switch of agent scribe.",
    ],
    [
      act({ event_type: "permission_map.changed", target: "version 4" }),
      "ana@clinic.test changed permission map version 4.",
    ],
    [act({ event_type: "session.opened", src_ip: "127.0.0.1" }), "ana@clinic.test signed in from 127.0.0.1."],
    [
      {
        event_type: "authentication.refused",
        outcome: "denied",
        actor_type: "anonymous",
        count: 12,
        reason_code: "revoked_key",
        src_ip: "::1",
      },
      "12 requests were refused without a valid credential from ::1 (revoked key).",
    ],
    [
      {
        event_type: "session.refused",
        count: 500,
        actor_type: "anonymous",
        reason_code: "several_reasons",
        src_ip: "::1",
      },
      "500 sign-ins were refused from ::1 (several reasons).",
    ],
    [
      { event_type: "session.refused", actor_type: "anonymous", reason_code: "no_account" },
      "A sign-in was refused (no account).",
    ],
    [
      { event_type: "tool_list.searched", outcome: "success", actor_type: "agent", actor_name: "triage-bot", count: 5 },
      "Agent triage-bot searched the tools it may call and was shown 5.",
    ],
    [
      { event_type: "authentication.refused", outcome: "denied", actor_type: "agent", actor_name: "triage-bot" },
      "A request was refused without a valid credential of agent triage-bot.",
    ],
    [
      act({ event_type: "server.registered", target: "files\u202etxt.\u001b[2K\u2066" }),
      "ana@clinic.test registered server files\ufffdtxt.\ufffd[2K\ufffd.",
    ],
    [
      { event_type: "system.started", actor_type: "system", actor_name: "boot", outcome: "success" },
      "The gateway (boot) started system.",
    ],
    [{}, "Somebody unknown   ."],
  ] as const)("%j", (record, sentence) => {
    if (Object.keys(record).length > 0) expect(toSentence(record)).toBe(sentence);
    else expect(toSentence(record)).toBeTypeOf("string");
  });
});
