import { createHash, randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import { logger } from "@/lib/core/logger";
import { chooseOsUser, type OsUser } from "@/lib/db/embedded/os-user";
import { canReach } from "@/lib/db/embedded/reachable";

const SYSTEM_BASE = "/var/lib/countersign";

const placeFile = z.object({
  /** Holds `data` (PostgreSQL's own folder) and `server.log`; relative to DATA_DIR where it lies below it. */
  folder: z.string().min(1),
  port: z.number().int().min(1).max(65535),
  user: z.string().min(1),
  password: z.string().min(32),
  database: z.string().min(1),
  /** Set once the database has been made: from then on missing files are a loss, not a first start. */
  ready: z.boolean(),
});

/** What another process of ours needs in order to find and use the running server. */
export type PlaceFile = z.output<typeof placeFile>;

export type Place = PlaceFile & { readonly dataDir: string; readonly osUser: OsUser | null };

export const pgData = (place: Pick<PlaceFile, "folder">): string => join(place.folder, "data");
export const placePath = (dataDir: string): string => join(dataDir, "postgres.json");

export function placeUrl(place: PlaceFile): string {
  return `postgresql://${place.user}:${place.password}@127.0.0.1:${place.port}/${place.database}`;
}

/** Reads what is remembered about the embedded server of `dataDir`; null when there has been none. */
export async function readPlace(dataDir: string): Promise<PlaceFile | null> {
  const text = await readFile(placePath(dataDir), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null;
    throw cause;
  });
  if (text === null) return null;
  const parsed = placeFile.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new Error(`${placePath(dataDir)} is damaged: restore it from a backup of the data folder.`);
  return { ...parsed.data, folder: resolve(dataDir, parsed.data.folder) };
}

/** Remembers the place; the file holds a password, so it is written whole and only its owner may read it. */
export async function writePlace(place: Place): Promise<void> {
  const { port, user, password, database, ready } = place;
  const below = relative(place.dataDir, place.folder);
  const folder = below.startsWith("..") || isAbsolute(below) ? place.folder : below;
  const path = placePath(place.dataDir);
  const part = `${path}.${process.pid}`;
  const text = JSON.stringify({ folder, port, user, password, database, ready }, null, 2);
  await writeFile(part, `${text}\n`, { mode: 0o600 });
  await rename(part, path);
}

/** The remembered place of `dataDir`, or a new one that the server's own user can reach. */
export async function settle(given: string): Promise<Place> {
  await makeDataDir(given);
  // One name per folder, however it was reached: the running server is recognised by it.
  const dataDir = await realpath(given);
  const known = await readPlace(dataDir);
  if (known !== null) return { ...known, dataDir, osUser: await chooseOsUser(await ownerOf(pgData(known))) };
  const osUser = await chooseOsUser(null);
  const folder = await newFolder(dataDir, osUser);
  const place: Place = {
    folder,
    port: await freePort(),
    user: "countersign",
    password: randomBytes(32).toString("hex"),
    database: "countersign",
    ready: false,
    dataDir,
    osUser,
  };
  await writePlace(place);
  return place;
}

async function makeDataDir(dataDir: string): Promise<void> {
  const made = await mkdir(dataDir, { recursive: true });
  // Others may walk through to what they own below it, not list it; secrets in it are 0600.
  if (made !== undefined) await chmod(dataDir, 0o711);
}

async function newFolder(dataDir: string, osUser: OsUser | null): Promise<string> {
  if (await canReach(osUser, dataDir)) return ownFolder(join(dataDir, "postgres"), osUser);
  const mark = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  // Random besides: a data folder that was deleted and made again must not find the old one's database.
  const folder = join(SYSTEM_BASE, `${mark}-${randomBytes(3).toString("hex")}`);
  logger.info(
    { dataDir, folder, user: osUser?.name },
    "the database lives in a system folder, because its user cannot reach DATA_DIR",
  );
  return ownFolder(folder, osUser);
}

async function ownFolder(folder: string, osUser: OsUser | null): Promise<string> {
  const first = await mkdir(folder, { recursive: true });
  // Whatever the umask: the server's user walks through the folders above its own.
  if (first !== undefined && first !== folder) await chmod(first, 0o755);
  await chmod(folder, 0o700);
  if (osUser !== null) await chown(folder, osUser.uid, osUser.gid);
  return folder;
}

async function ownerOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.uid ?? null;
}

/** A loopback port that nobody uses at this moment. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Where copies of programs go: below a folder that the server's user can reach. */
export function sparePrograms(place: Place): string {
  return place.osUser === null ? join(place.dataDir, "programs") : SYSTEM_BASE;
}
