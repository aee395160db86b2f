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
  type World,
} from "@/bench/children";
import { type Measured, measure, type Target, warmUp } from "@/bench/load";
import { directTo, through } from "@/bench/main-table";
import type { Options } from "@/bench/options";
import { NOT_RUN, PEERS, type Peer, type Place } from "@/bench/peer-recipes";
import { cells, fixed, loadHead, loadRow, say, surroundings } from "@/bench/table";

const CALLERS = [1, 16, 64, 500, 1_000];
const INSTALL_MS = 180_000;
const npm = promisify(execFile);

type Opened = { readonly target: Target; readonly close: () => Promise<unknown> };

/** Started anew for every row, as all others are: what one row leaves behind must not weigh on the next. */
type Contestant = { readonly name: string; readonly maxCallers: number; readonly open: () => Promise<Opened> };

function words(cause: unknown): string {
  const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
  const text = said === "" ? (cause instanceof Error ? cause.message : String(cause)) : said;
  return text.split("\n")[0] ?? "";
}

/** Installs what a peer needs in a folder outside of this one, pinned, without running its install scripts. */
async function install(peer: Peer): Promise<string> {
  const { path } = temporaryFolder();
  const flags = ["--prefix", path, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await npm("npm", ["install", ...flags, `${peer.package}@${peer.version}`], { cwd: path, timeout: INSTALL_MS });
  return path;
}

async function openPeer(peer: Peer, place: Omit<Place, "port">): Promise<Opened> {
  const port = await freePort();
  const { args, env = {} } = peer.start({ ...place, port });
  const stdio = ["ignore", spoken(), spoken()] as const;
  const options = { cwd: place.folder, stdio: [...stdio], env: { ...process.env, ...env } };
  const child = keep(spawn(process.execPath, args, options));
  const target: Target = {
    name: peer.name,
    url: `http://127.0.0.1:${port}${peer.path}`,
    wire: peer.wire,
    callers: [{ key: null, tool: peer.tool }],
    pid: child.pid ?? 0,
    alone: peer.ownsUpstream,
    database: null,
  };
  // One call that is answered rightly is what ready means.
  await untilReady(peer.name, child, async () => {
    const { calls, failed, wrong } = await measure(target, 1, 1);
    return calls > 0 && failed + wrong === 0;
  }).catch(async (cause: unknown) => {
    await stop(child);
    throw cause;
  });
  return { target, close: () => stop(child) };
}

/** Installs them all and starts each once, so that it is said before the table which of them take part. */
async function meetPeers(upstream: Upstream, delayMs: number): Promise<Contestant[]> {
  const met: Contestant[] = [];
  const folders = new Map<string, Promise<string>>();
  for (const peer of PEERS) {
    const what = `${peer.name}: ${peer.package} ${peer.version}`;
    try {
      const installed = folders.get(peer.package) ?? install(peer);
      folders.set(peer.package, installed);
      const place = { folder: await installed, upstreamUrl: upstream.url, delayMs };
      const open = () => openPeer(peer, place);
      await (await open()).close();
      met.push({ name: peer.name, maxCallers: peer.maxCallers, open });
      say(`- ${what}, ${peer.about}`);
    } catch (cause) {
      say(`- ${what} could not be run here: ${words(cause)}`);
    }
  }
  return met;
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
  const { delayMs, seconds } = options;
  say(`${surroundings()}\n${seconds} s per row; every gateway is started anew for each.\n`);
  const upstream = await startUpstream(options.upstreams[0] ?? "lean", { delayMs, tools: 1 });
  const world = await makeWorld(database, { upstreamUrl: upstream.url, tenants: 1, tools: 1, entries: 0 });
  const peers = await meetPeers(upstream, delayMs);
  await sayWhoIsMissing();
  say(`\n${loadHead("Countersign is")}`);
  for (const callers of options.callers ?? CALLERS)
    await printRound(callers, directTo(upstream), [openUs(world, options), ...peers], seconds);
}

function openUs(world: World, options: Options): Contestant {
  const gateway = gatewaysFor(options, ["server"])[0] ?? "door";
  const name = `Countersign, ${nameOf(gateway)}`;
  const open = async () => {
    const { child, url } = await startGateway(gateway, world, options);
    return { target: through(name, url, child.pid, world), close: () => stop(child) };
  };
  return { name, maxCallers: Number.POSITIVE_INFINITY, open };
}

async function measureNew({ open }: Contestant, callers: number, seconds: number): Promise<Measured> {
  const { target, close } = await open();
  try {
    await warmUp(target, seconds);
    return await measure(target, callers, seconds * 1_000);
  } finally {
    await close();
  }
}

async function printRound(callers: number, direct: Target, all: readonly Contestant[], seconds: number): Promise<void> {
  const base = await measure(direct, callers, seconds * 1_000);
  say(loadRow(callers, direct.name, base, base, "-"));
  let ours: Measured | null = null;
  for (const contestant of all) {
    if (callers > contestant.maxCallers) continue;
    try {
      const measured = await measureNew(contestant, callers, seconds);
      say(loadRow(callers, contestant.name, measured, base, ours === null ? "-" : times(ours, measured)));
      ours ??= measured;
    } catch (cause) {
      say(cells(callers, contestant.name, `no figures: ${words(cause)}`));
    }
  }
}

/** How many times as many calls we answer; nothing where the other did not answer all of them. */
const times = (ours: Measured, theirs: Measured): string =>
  theirs.failed + theirs.wrong > 0 ? "-" : `${fixed(ours.callsPerSecond / theirs.callsPerSecond, 2)} ×`;
