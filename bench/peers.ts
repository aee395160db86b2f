import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import {
  freePort,
  gatewaysFor,
  keep,
  makeWorld,
  nameOf,
  spoken,
  startGateway,
  startUpstream,
  stop,
  temporaryFolder,
  type Upstream,
  untilReady,
} from "@/bench/children";
import { type Measured, measure, type Target, warmUp } from "@/bench/load";
import { directTo, through } from "@/bench/main-table";
import type { Options } from "@/bench/options";
import { NOT_RUN, PEERS, type Peer } from "@/bench/peer-recipes";
import { cells, fixed, loadHead, loadRow, say, surroundings } from "@/bench/table";

const CALLERS = [1, 16, 64, 500, 1_000];
const INSTALL_MS = 180_000;
const npm = promisify(execFile);

type Contestant = { readonly target: Target; readonly maxCallers: number; readonly close: () => Promise<void> };

const words = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? "";

/** Installs a peer in a folder outside of this one, pinned, without running its install scripts. */
async function install(peer: Peer, folder: string): Promise<void> {
  const flags = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await npm("npm", ["install", ...flags, `${peer.package}@${peer.version}`], { cwd: folder, timeout: INSTALL_MS });
}

async function startPeer(peer: Peer, upstream: Upstream, delayMs: number): Promise<Contestant> {
  const { path: folder, remove } = temporaryFolder();
  await install(peer, folder);
  const port = await freePort();
  const { args, env = {} } = peer.start({ folder, port, upstreamUrl: upstream.url, delayMs });
  const stdio = ["ignore", spoken(), spoken()] as const;
  const child = keep(
    spawn(process.execPath, args, { cwd: folder, stdio: [...stdio], env: { ...process.env, ...env } }),
  );
  const close = async () => {
    await stop(child);
    await remove();
  };
  const target: Target = {
    name: peer.name,
    url: `http://127.0.0.1:${port}${peer.path}`,
    wire: peer.wire,
    callers: [{ key: null, tool: peer.tool }],
    pid: child.pid ?? 0,
    alone: peer.ownsUpstream,
    database: null,
  };
  try {
    // One call that is answered rightly is what ready means.
    await untilReady(peer.name, child, async () => {
      const { calls, failed, wrong } = await measure(target, 1, 1);
      return calls > 0 && failed + wrong === 0;
    });
    return { target, maxCallers: peer.maxCallers, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function startPeers(upstream: Upstream, delayMs: number): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const peer of PEERS) {
    try {
      started.push(await startPeer(peer, upstream, delayMs));
      say(`- ${peer.name}: ${peer.package} ${peer.version}, ${peer.about}`);
    } catch (cause) {
      say(`- ${peer.name}: ${peer.package} ${peer.version} could not be run here: ${words(cause)}`);
    }
  }
  return started;
}

/** What the registry says of those that have no recipe. */
async function sayWhoIsMissing(): Promise<void> {
  for (const name of NOT_RUN) {
    const found = await npm("npm", ["view", name, "version", "--loglevel=silent"]).then(
      ({ stdout }) => stdout.trim(),
      () => "",
    );
    say(
      `- ${name}: ${found === "" ? "not run, npm does not find it here" : `not run, ${found} is there, but this benchmark has no recipe for it`}`,
    );
  }
}

/** The direct call, Countersign and other gateways, one after the other at each number of callers. */
export async function printPeers(database: string, options: Options): Promise<void> {
  const { delayMs } = options;
  say(`${surroundings()}\n${options.seconds} s per row.\n`);
  const upstream = await startUpstream(options.upstreams[0] ?? "lean", { delayMs, tools: 1 });
  const world = await makeWorld(database, { upstreamUrl: upstream.url, tenants: 1, tools: 1, entries: 0 });
  try {
    const gateway = gatewaysFor(options, ["server"])[0] ?? "door";
    const { child, url } = await startGateway(gateway, world, options);
    const us = through(`Countersign, ${nameOf(gateway)}`, url, child.pid, world);
    const peers = await startPeers(upstream, delayMs);
    await sayWhoIsMissing();
    for (const { target } of [{ target: us }, ...peers]) await warmUp(target, options.seconds);
    say(`\n${loadHead("Countersign is")}`);
    for (const callers of options.callers ?? CALLERS) await printRound(callers, directTo(upstream), us, peers, options);
    await Promise.all([stop(child), ...peers.map(({ close }) => close())]);
  } finally {
    await stop(upstream.child);
    await world.drop();
  }
}

async function printRound(
  callers: number,
  direct: Target,
  us: Target,
  peers: readonly Contestant[],
  { seconds }: Options,
): Promise<void> {
  const base = await measure(direct, callers, seconds * 1_000);
  const ours = await measure(us, callers, seconds * 1_000);
  say(loadRow(callers, direct.name, base, base, "-"));
  say(loadRow(callers, us.name, ours, base, "-"));
  for (const { target, maxCallers } of peers) {
    if (callers > maxCallers) continue;
    try {
      const theirs = await measure(target, callers, seconds * 1_000);
      say(loadRow(callers, target.name, theirs, base, times(ours, theirs)));
    } catch (cause) {
      say(cells(callers, target.name, `no figures: ${words(cause)}`));
    }
  }
}

/** How many times as many calls we answer; nothing where the other did not answer all of them. */
const times = (ours: Measured, theirs: Measured): string =>
  theirs.failed + theirs.wrong > 0 ? "-" : `${fixed(ours.callsPerSecond / theirs.callsPerSecond, 2)} ×`;
