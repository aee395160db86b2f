import {
  gatewaysFor,
  makeWorld,
  nameOf,
  startGateway,
  startUpstream,
  stop,
  type Upstream,
  type World,
} from "@/bench/children";
import { ECHO } from "@/bench/echo-upstream";
import type { Wire } from "@/bench/lines";
import { measure, measureRefusals, type Target, warmUp } from "@/bench/load";
import type { ClientKind, Options, UpstreamKind } from "@/bench/options";
import { cells, fixed, head, loadHead, loadRow, say, surroundings } from "@/bench/table";

const CALLERS = [1, 16, 64, 500, 1_000];
const REFUSALS = 200;
const TITLES: Readonly<Record<UpstreamKind, string>> = {
  lean: "Of direct, lean upstream (bare node:http, the least a server can cost)",
  sdk: "Of direct, upstream on the official server SDK (about what a real server costs)",
};

const CLIENTS: Readonly<Record<ClientKind, { readonly wire: Wire; readonly title: string }>> = {
  fetch: { wire: "fetch", title: "callers on fetch, as MCP clients are" },
  lean: { wire: "modern", title: "callers on the bare dispatcher, the least a client can cost" },
};

/** The call that nobody governs. */
export const directTo = ({ url, child }: Upstream, wire: Wire = "modern"): Target => ({
  name: "direct",
  url,
  wire,
  callers: [{ key: null, tool: ECHO }],
  pid: child.pid ?? 0,
  database: null,
});

/** A gateway as the load generator sees it. */
export const through = (name: string, url: string, pid: number | undefined, world: World): Target => ({
  name,
  url,
  wire: "modern",
  callers: world.tenants.flatMap(({ callers }) => callers),
  pid: pid ?? 0,
  database: world.database,
});

/** One table per upstream: the call direct and through each gateway, at each number of callers. */
export async function printMainTables(database: string, options: Options): Promise<void> {
  say(`${surroundings()}\n${options.seconds} s per row, the direct call half of that.`);
  for (const kind of options.upstreams) {
    for (const client of options.clients) await printTable(database, kind, client, options);
  }
}

async function printTable(database: string, kind: UpstreamKind, client: ClientKind, options: Options): Promise<void> {
  const { delayMs } = options;
  const { wire, title } = CLIENTS[client];
  const upstream = await startUpstream(kind, { delayMs, tools: 1 });
  const world = await makeWorld(database, { upstreamUrl: upstream.url, tenants: 1, tools: 1, entries: 0 });
  try {
    say(`\n### ${TITLES[kind]}; ${title}${delayMs > 0 ? `, which waits ${delayMs} ms` : ""}\n\n${loadHead()}`);
    const refusals: string[] = [];
    for (const gateway of gatewaysFor(options, ["server", "next"])) {
      const { child, url } = await startGateway(gateway, world, options);
      const target = { ...through(nameOf(gateway), url, child.pid, world), wire };
      await warmUp(target, options.seconds);
      await printRows(directTo(upstream, wire), target, options);
      refusals.push(await refusalRow(target));
      await stop(child);
    }
    const columns = ["<target", "refusals", "P50 ms", "P95 ms", "failed"];
    say(`\nRefusals of an open circuit, one after the other:\n\n${head(columns)}\n${refusals.join("\n")}`);
  } finally {
    await stop(upstream.child);
    await world.drop();
  }
}

async function printRows(direct: Target, target: Target, { callers, seconds }: Options): Promise<void> {
  for (const count of callers ?? CALLERS) {
    // The direct rate is measured right before, because a shared machine is not the same for long.
    const base = await measure(direct, count, seconds * 500);
    const governed = await measure(target, count, seconds * 1_000);
    say(loadRow(count, direct.name, base, base));
    say(loadRow(count, target.name, governed, base));
  }
}

async function refusalRow(target: Target): Promise<string> {
  const { count, p50Ms, p95Ms, failed } = await measureRefusals(target, REFUSALS);
  return cells(target.name, count, fixed(p50Ms, 2), fixed(p95Ms, 2), failed);
}
