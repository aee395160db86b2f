import { parseArgs } from "node:util";

export const SERIES = ["tenants", "busy-tenants", "tools", "entries"] as const;
export type SeriesName = (typeof SERIES)[number];
export const UPSTREAMS = ["lean", "sdk"] as const;
export type UpstreamKind = (typeof UPSTREAMS)[number];
export const GATEWAYS = ["server", "door", "next"] as const;
export const CLIENTS = ["fetch", "lean"] as const;
export type ClientKind = (typeof CLIENTS)[number];
export type GatewayKind = (typeof GATEWAYS)[number];

export type Options = {
  readonly help: boolean;
  readonly callers: readonly number[] | null;
  readonly seconds: number;
  readonly only: GatewayKind | null;
  readonly upstreams: readonly UpstreamKind[];
  readonly clients: readonly ClientKind[];
  readonly delayMs: number;
  readonly series: readonly SeriesName[];
  readonly rows: readonly number[] | null;
  readonly rounds: number;
  readonly peers: boolean;
  readonly profileDir: string | null;
  readonly nodeFlags: readonly string[];
};

export const HELP = `What governing costs, measured on this machine. Prints Markdown tables.

  npm run bench                                 builds, then the main tables
  node .build/bench.js [options]                what was built last

Which tables
  (none)               the same call direct, through server.ts and through \`next start\`
  --series NAME        does a call cost more with more of something? tenants, busy-tenants, tools, entries;
                       several separated by commas, or \`all\`
  --peers              other MCP gateways from npm beside Countersign and the direct call

How they are measured
  --callers 1,64       callers at once (main and peers: 1,16,64,500,1000; a series: 32, one number)
  --seconds 4          per row; the direct call gets half
  --only NAME          server (server.ts), door (server.ts --door-only, needs no Next build) or next (next start)
  --upstream NAME      lean (bare node:http), sdk (official server SDK); by default both in the main tables, else lean
  --client NAME        fetch (what MCP clients are built on), lean (undici's dispatcher); by default both in the main tables
  --delay MS           the tool waits this long before it answers (0)
  --rows 10,100        rows of a series instead of its own; the first is the one the others are compared with
  --rounds 3           how often a series goes through all its rows
  --profile DIR        writes CPU profiles of the gateway
  --node "FLAGS"       further flags of Node for the gateway
  --help

Environment: BENCH_DATABASE_URL, a PostgreSQL that may make databases (postgres://postgres@127.0.0.1:5432/postgres);
BENCH_LOG=1 shows what a gateway or a peer prints.
`;

export class BadOption extends Error {}

function list<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  if (text === "all" || text === "both") return [...known];
  return text.split(",").map((word) => {
    const found = known.find((each) => each === word);
    if (found === undefined) throw new BadOption(`--${name} knows ${known.join(", ")}, not ${word}.`);
    return found;
  });
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least)
    throw new BadOption(`--${name} takes numbers from ${least}, not ${text}.`);
  return value;
}

const numbers = (name: string, text: string | undefined, least: number): readonly number[] | null =>
  text === undefined ? null : text.split(",").map((each) => Math.floor(number(name, each, least)));

/** Reads the command line; throws BadOption naming what it does not know. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parse(() =>
    parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        peers: { type: "boolean", default: false },
        callers: { type: "string" },
        seconds: { type: "string", default: "4" },
        only: { type: "string" },
        upstream: { type: "string" },
        client: { type: "string", default: "both" },
        delay: { type: "string", default: "0" },
        series: { type: "string" },
        rows: { type: "string" },
        rounds: { type: "string", default: "3" },
        profile: { type: "string" },
        node: { type: "string", default: "" },
      },
    }),
  );
  const main = values.series === undefined && !values.peers;
  return {
    help: values.help,
    callers: numbers("callers", values.callers, 1),
    seconds: number("seconds", values.seconds, 0.1),
    only: values.only === undefined ? null : (list("only", values.only, GATEWAYS)[0] ?? null),
    upstreams: list("upstream", values.upstream ?? (main ? "both" : "lean"), UPSTREAMS),
    clients: list("client", values.client, CLIENTS),
    delayMs: number("delay", values.delay, 0),
    series: values.series === undefined ? [] : list("series", values.series, SERIES),
    rows: numbers("rows", values.rows, 0),
    rounds: Math.floor(number("rounds", values.rounds, 1)),
    peers: values.peers,
    profileDir: values.profile ?? null,
    nodeFlags: values.node.split(" ").filter((flag) => flag !== ""),
  };
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new BadOption(cause instanceof Error ? cause.message : String(cause));
  }
}
