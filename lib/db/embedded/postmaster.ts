import { execFile, spawn } from "node:child_process";
import { chown, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { logger } from "@/lib/core/logger";
import { type Binaries, cleanEnv, nativeOf } from "@/lib/db/embedded/binaries";
import { type Place, pgData, placeUrl } from "@/lib/db/embedded/place";
import { isAlive } from "@/lib/db/embedded/start-lock";

const run = promisify(execFile);

/** Recovery after a crash may have a lot of log to replay. */
const READY_MS = 120_000;
const STOP_MS = 60_000;
const POLL_MS = 15;

/** Written down rather than left to defaults where the trail depends on it. */
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=200",
  "fsync=on",
  "full_page_writes=on",
  "synchronous_commit=on",
  "timezone=UTC",
  "log_timezone=UTC",
  "logging_collector=off",
  "log_min_messages=warning",
  // A failing statement may carry what must not be in a log.
  "log_min_error_statement=panic",
];

const as = (place: Place) => (place.osUser === null ? {} : { uid: place.osUser.uid, gid: place.osUser.gid });

/** Makes the cluster. It appears under its final name only when complete, so a start that is killed leaves no half of one. */
export async function initialise(place: Place, programs: Binaries): Promise<void> {
  const part = join(place.folder, "data.part");
  const secret = join(place.folder, ".password");
  await rm(part, { recursive: true, force: true });
  await writeFile(secret, `${place.password}\n`, { mode: 0o600 });
  if (place.osUser !== null) await chown(secret, place.osUser.uid, place.osUser.gid);
  const args = [
    `--pgdata=${part}`,
    `--username=${place.user}`,
    `--pwfile=${secret}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
  ];
  try {
    await run(programs.initdb, args, { ...as(place), cwd: place.folder, env: cleanEnv(nativeOf(programs.initdb)) });
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr ?? "";
    throw new Error(
      `The embedded database could not be made in ${place.folder}: ${said.trim()}. ` +
        "Set DATABASE_URL to use a PostgreSQL of your own.",
      { cause },
    );
  } finally {
    await rm(secret, { force: true });
  }
  await rename(part, pgData(place));
}

export type Found = "running" | "absent";

/**
 * Looks for a server that already runs on this data, e.g. one that outlived a `kill -9` of ours, and waits while it
 * is still recovering. A pid file whose process is gone, or is something else by now, is cleared away.
 */
export async function findRunning(place: Place): Promise<Found> {
  const file = join(pgData(place), "postmaster.pid");
  const giveUpAt = performance.now() + READY_MS;
  while (performance.now() < giveUpAt) {
    const pid = await postmasterPid(place);
    if (pid === null) return "absent";
    if (!isAlive(pid) || !(await isPostmaster(pid, pgData(place)))) {
      await rm(file, { force: true });
      return "absent";
    }
    const answer = await ask(place);
    if (answer === "ours") return "running";
    if (answer === "other") {
      throw new Error(
        `PostgreSQL (process ${pid}) runs on ${pgData(place)} but does not accept the remembered password. ` +
          "Stop it, or restore postgres.json of the data folder.",
      );
    }
    await wait(POLL_MS);
  }
  throw new Error(`PostgreSQL on ${pgData(place)} is there but has not answered for ${READY_MS / 1000} s.`);
}

/** Process id of the server on this data, as PostgreSQL itself recorded it. */
export async function postmasterPid(place: Pick<Place, "folder">): Promise<number | null> {
  const text = await readFile(join(pgData(place), "postmaster.pid"), "utf8").catch(() => null);
  const pid = Number(text?.split("\n")[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

/** Process ids are used again, above all in containers: the recorded one may be anything by now. */
async function isPostmaster(pid: number, data: string): Promise<boolean> {
  const linux = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => null);
  if (linux !== null) return linux.includes(data);
  if (process.platform === "win32") return true;
  const listed = await run("ps", ["-p", String(pid), "-o", "command="]).catch(() => ({ stdout: "" }));
  return listed.stdout.includes(data);
}

/** Who answers on the remembered port: this data folder's server, another one, or nobody yet. */
async function ask(place: Place): Promise<"ours" | "other" | "silent"> {
  const url = new URL(placeUrl(place));
  url.pathname = "/postgres";
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string }>("select current_setting('data_directory') as folder");
    return rows[0]?.folder === pgData(place) ? "ours" : "other";
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? "";
    // 28P01: a server that has another password. Everything else may still be a server that is starting.
    return code === "28P01" || code === "28000" ? "other" : "silent";
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Starts the server and returns when it answers. It is a session of its own, so that Ctrl-C reaches us first. */
export async function start(place: Place, programs: Binaries, settings: readonly string[] = []): Promise<void> {
  const log = join(place.folder, "server.log");
  const sink = await open(log, "a", 0o600);
  const args = ["-D", pgData(place), "-p", String(place.port), ...[...SETTINGS, ...settings].flatMap((s) => ["-c", s])];
  let exited = false;
  try {
    const before = (await sink.stat()).size;
    const child = spawn(programs.postgres, args, {
      ...as(place),
      cwd: place.folder,
      env: cleanEnv(nativeOf(programs.postgres)),
      detached: true,
      stdio: ["ignore", sink.fd, sink.fd],
    });
    child.once("exit", () => {
      exited = true;
    });
    child.once("error", () => {
      exited = true;
    });
    child.unref();
    const giveUpAt = performance.now() + READY_MS;
    while (!exited && performance.now() < giveUpAt) {
      if ((await postmasterPid(place)) === child.pid && (await ask(place)) === "ours") return;
      await wait(POLL_MS);
    }
    throw new StartFailed(await saidSince(log, before));
  } finally {
    await sink.close();
  }
}

/** The server ended, or stayed silent, while starting. `said` is what it wrote to its log. */
export class StartFailed extends Error {
  readonly portTaken: boolean;
  /** Processes of a server that was killed are still on their way out. */
  readonly leftovers: boolean;

  constructor(said: string) {
    super(`The embedded database did not start: ${said || "it wrote nothing to its log"}`);
    this.leftovers = /pre-existing shared memory block/.test(said);
    this.portTaken = /could not bind|Address already in use/.test(said);
  }
}

async function saidSince(log: string, from: number): Promise<string> {
  const text = await readFile(log, "utf8").catch(() => "");
  return text.slice(from).trim().slice(-2_000);
}

/** Stops the server cleanly ("fast": sessions are ended, everything is on disk) and returns when it is gone. */
export async function stop(place: Place, pgCtl: () => Promise<Binaries>): Promise<void> {
  const pid = await postmasterPid(place);
  if (pid === null) return;
  if (process.platform === "win32") {
    await run((await pgCtl()).pgCtl, ["stop", "-m", "fast", "-w", "-D", pgData(place)]);
    return;
  }
  try {
    process.kill(pid, "SIGINT");
  } catch {
    return;
  }
  const file = join(pgData(place), "postmaster.pid");
  const giveUpAt = performance.now() + STOP_MS;
  while (performance.now() < giveUpAt) {
    if ((await stat(file).catch(() => null)) === null || !isAlive(pid)) return;
    await wait(POLL_MS);
  }
  logger.warn({ pid, folder: dirname(file) }, "the embedded database takes long to stop; leaving it to finish");
}

/** True when the cluster has been made. */
export async function isInitialised(place: Pick<Place, "folder">): Promise<boolean> {
  return (await stat(join(pgData(place), "PG_VERSION")).catch(() => null)) !== null;
}

/** Makes our database in the cluster, once. */
export async function createDatabase(place: Place): Promise<void> {
  const url = new URL(placeUrl(place));
  url.pathname = "/postgres";
  const client = new pg.Client({ connectionString: url.href });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const found = await client.query("select from pg_database where datname = $1", [place.database]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(place.database)}`);
  } finally {
    await client.end();
  }
}
