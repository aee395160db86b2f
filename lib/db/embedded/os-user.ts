import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whom the embedded server runs as. null: as ourselves. */
export type OsUser = { readonly name: string; readonly uid: number; readonly gid: number };

/** Accounts that may own a database, best first. */
const PREFERRED = ["countersign", "postgres"];

/**
 * PostgreSQL refuses to run as root. `owner` is the uid the data already belongs to, if there is any:
 * changing it between starts would lock the server out of its own files.
 */
export async function chooseOsUser(owner: number | null): Promise<OsUser | null> {
  if (process.getuid?.() !== 0) return null;
  const accounts = await readAccounts();
  const keeper = owner === null || owner === 0 ? undefined : accounts.find(({ uid }) => uid === owner);
  const chosen = keeper ?? findPreferred(accounts) ?? (await createAccount()) ?? accounts.find(isNobody);
  if (chosen === undefined) {
    throw new Error(
      "The embedded database cannot run as root and no other account was found. Start Countersign as another user, " +
        "or create one for it: useradd --system countersign",
    );
  }
  return chosen;
}

const isNobody = ({ name }: OsUser): boolean => name === "nobody";

function findPreferred(accounts: readonly OsUser[]): OsUser | undefined {
  for (const wanted of PREFERRED) {
    const found = accounts.find(({ name, uid }) => name === wanted && uid !== 0);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `nobody` would share its files with other programs, so an account of our own is tried first. */
async function createAccount(): Promise<OsUser | undefined> {
  const shell = "/usr/sbin/nologin";
  for (const [command, args] of [
    ["useradd", ["--system", "--user-group", "--no-create-home", "--shell", shell, "countersign"]],
    ["adduser", ["-S", "-D", "-H", "-s", shell, "countersign"]],
  ] as const) {
    try {
      await run(command, args);
      return findPreferred(await readAccounts());
    } catch {
      // Not every system has the command; the next one, or `nobody`, serves.
    }
  }
  return undefined;
}

async function readAccounts(): Promise<readonly OsUser[]> {
  const text = await readFile("/etc/passwd", "utf8").catch(() => "");
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => name !== "" && Number.isInteger(uid) && Number.isInteger(gid));
}
