import { parseJsonGuarded } from "@/lib/core/json-guard";
import { LIMITS } from "@/lib/mcp/door/door";
import type { DoorRequest } from "@/lib/mcp/door/door-request";
import type { RpcId } from "@/lib/mcp/door/envelope";
import { headerValue } from "@/lib/mcp/upstream/param-headers";
import { isRecord, type Json, META } from "@/lib/mcp/upstream/protocol";

/** One frame of a socket, as far as it could be read. */
export type Frame = {
  readonly bytes: Uint8Array;
  /** Text; a binary frame carries no message here. */
  readonly isText: boolean;
  /** The message; undefined where the frame holds none, and then the door says what is wrong with it. */
  readonly value: unknown;
};

/** Reads a frame under the limits of every message. Never throws. */
export function readFrame(bytes: Uint8Array, isText: boolean): Frame {
  if (!isText) return { bytes, isText, value: undefined };
  try {
    return { bytes, isText, value: parseJsonGuarded(bytes, LIMITS) };
  } catch {
    return { bytes, isText, value: undefined };
  }
}

export const isMethod = ({ value }: Frame, method: string): boolean => isRecord(value) && value["method"] === method;

/** The request that a client takes back; null for any other message. */
export function cancelledBy(frame: Frame): RpcId | null {
  if (!isMethod(frame, "notifications/cancelled") || !isRecord(frame.value)) return null;
  const { params } = frame.value;
  const id = isRecord(params) ? params["requestId"] : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** What was said once for the whole socket. */
export type Said = {
  readonly header: DoorRequest["header"];
  readonly session: string;
  /** The version of the sessions era that was agreed on. */
  readonly version: string | null;
};

/**
 * The headers of a message, as over HTTP: those of the handshake, and those that only repeat the body, from the body.
 * No message has headers of its own here, so that none can disagree with it.
 */
export function headersOf({ value, isText }: Frame, { header, session, version }: Said): DoorRequest["header"] {
  const message: Json = isRecord(value) ? value : {};
  const params: Json = isRecord(message["params"]) ? message["params"] : {};
  const meta = isRecord(params["_meta"]) ? params["_meta"] : {};
  const claimed = meta[META.protocolVersion];
  const named = message["method"] === "resources/read" ? params["uri"] : params["name"];
  const repeated: Readonly<Record<string, string | null>> = {
    "content-type": isText ? "application/json" : "application/octet-stream",
    accept: null,
    "x-request-id": null,
    // Of the handshake; a message names its own trace in `_meta`.
    traceparent: null,
    tracestate: null,
    "mcp-session-id": session,
    "mcp-protocol-version": typeof claimed === "string" ? claimed : version,
    "mcp-method": typeof message["method"] === "string" ? message["method"] : null,
    "mcp-name": typeof named === "string" ? headerValue(named) : null,
  };
  return (name) => (Object.hasOwn(repeated, name) ? (repeated[name] ?? null) : header(name));
}
