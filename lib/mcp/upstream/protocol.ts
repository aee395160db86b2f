import type { TextDigest } from "@/lib/core/text-digest";
import type { TraceContext } from "@/lib/core/trace-context";
import type { Deadline } from "@/lib/resilience/deadline";

/** The stateless revision. */
export const MODERN_VERSION = "2026-07-28";
/** Revisions of the sessions era, newest first. */
export const LEGACY_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"] as const;
/** What a message is taken for whose headers name no revision. It is the only one that has batches. */
export const UNSTATED_VERSION = "2025-03-26";

export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;

export const CLIENT_INFO = { name: "countersign", version: "0.1.0" } as const;

export type Json = Readonly<Record<string, unknown>>;

/** True for an object that is neither null nor an array. */
export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export type Era = "modern" | "legacy";

export type Progress = {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
};

/** What a server says of itself when it is first spoken to. Names are unverified: never a ground for policy. */
export type Greeting = {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly serverName: string | null;
  readonly serverVersion: string | null;
  readonly instructions: string | null;
  readonly capabilities: readonly string[];
};

/** The client behind a request: what it can be told, and asked, while the request runs. */
export type Dialogue = {
  /** From which level on it wants to hear what the server logs. */
  readonly logLevel?: string | undefined;
  readonly onLog?: ((params: Json) => void) | undefined;
  /** Asks the client in the server's name; rejects where the client cannot be asked. */
  readonly onRequest?: ((method: string, params: Json) => Promise<Json>) | undefined;
};

export type UpstreamRequest = {
  readonly method: string;
  readonly params: Json;
  readonly deadline: Deadline;
  /** The tool's input schema: arguments it marks are mirrored into headers on the modern wire. */
  readonly inputSchema?: Json | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly dialogue?: Dialogue | undefined;
  /** The place in a trace that the server is told to go on from. */
  readonly trace?: TraceContext | undefined;
  /** The answer is only passed on, so that a large one may stay text. */
  readonly passesOn?: true | undefined;
};

/** Something a server says by itself. */
export type Notice = { readonly method: string; readonly params: Json };

export type ListenRequest = {
  /** What to hear of, in the words of `subscriptions/listen`. */
  readonly filter: Json;
  /** Ends the listening. */
  readonly deadline: Deadline;
  readonly onNotice: (notice: Notice) => void;
};

/** The members of a result that are too large to become objects here. */
export type LargeResult = {
  /** As compact JSON in UTF-8, as the server wrote it, without the braces around them. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  /** Of the whole result, small members included, as compact JSON. */
  readonly digest: TextDigest;
  /** Where addresses begin in the pieces, one behind the other: those of contents, and of links in the content. */
  readonly uris: { readonly contents: readonly number[]; readonly links: readonly number[] };
  /** How many values it has at all depths. */
  readonly values: number;
};

export type UpstreamAnswer = {
  /** Without its large members where there is a `large`. */
  readonly result: Json;
  readonly bytes: number;
  readonly large?: LargeResult | undefined;
};

/** Connections (or programs) that are open now, that were ever opened, and requests that found one open. */
export type Connections = { readonly open: number; readonly created: number; readonly reused: number };

/** One registered server as we speak to it, over whatever transport. */
export type Upstream = {
  /** Connects and agrees on a protocol version; once, shared by all who wait. */
  readonly greet: (deadline: Deadline) => Promise<Greeting>;
  readonly request: (request: UpstreamRequest) => Promise<UpstreamAnswer>;
  /** Hears what the server says by itself, until it or we end it. */
  readonly listen?: (request: ListenRequest) => Promise<void>;
  readonly close: () => Promise<void>;
  readonly connections?: () => Connections;
  /** Sees to it that so many connections are open, now and while the server is in use. Returns at once. */
  readonly keepWarm?: (count: number) => void;
};

export const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
export const MAX_ANSWER_DEPTH = 64;
