import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newId } from "@/lib/core/ids";
import { appRoot } from "@/lib/db/app-root";
import { findBinaries } from "@/lib/db/embedded/binaries";
import { openEmbedded } from "@/lib/db/embedded/open-embedded";
import { pgData, placeUrl, settle, sparePrograms } from "@/lib/db/embedded/place";
import { postmasterPid, start, stop } from "@/lib/db/embedded/postmaster";
import { isAlive } from "@/lib/db/embedded/start-lock";
import { inPlatform } from "@/lib/db/in-tenant";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { onServer } from "@/lib/testing/fresh-database";

const script = join(appRoot(), ".build", `embedded-child-${process.pid}.js`);
let dataDir = "";
const children: ChildProcess[] = [];

beforeAll(async () => {
  await build({
    entryPoints: [join(appRoot(), "lib/testing/embedded-child.ts")],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    alias: { "@": appRoot(), "server-only": join(appRoot(), "lib/core/server-only-stub.ts") },
  });
});
afterAll(() => rm(script, { force: true }));

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "countersign-embedded-"));
  await chmod(dataDir, 0o711);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await closeDatabase().catch(() => undefined);
  const place = await settle(dataDir);
  await stop(place, () => findBinaries(place.osUser, sparePrograms(place)));
  if (!place.folder.startsWith(dataDir)) await rm(place.folder, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
});

/** A process of ours on this data folder; resolves with its URL once the database is open. */
async function openInChild(): Promise<{ child: ChildProcess; url: string; close: () => Promise<void> }> {
  const child = spawn(process.execPath, [script, dataDir], { cwd: appRoot(), stdio: ["pipe", "pipe", "ignore"] });
  children.push(child);
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (bytes: Buffer) => resolve(bytes.toString().trim()));
    void gone.then(() => reject(new Error("the child ended")));
  });
  if (!line.startsWith("open ")) throw new Error(line);
  const close = async () => {
    child.stdin?.write("close\n");
    await gone;
  };
  return { child, url: line.slice(5), close };
}

const serverPid = async (): Promise<number | null> => postmasterPid(await settle(dataDir));
const dies = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve));

describe("the embedded server", () => {
  it("outlives a kill -9 of ours, is adopted by the next start, and stops with the last one", async () => {
    const { child, url } = await openInChild();
    const first = await serverPid();
    child.kill("SIGKILL");
    await dies(child);
    expect(first !== null && isAlive(first)).toBe(true);
    const next = await openEmbedded(dataDir);
    expect(next).toMatchObject({ found: "adopted", url });
    expect(await serverPid()).toBe(first);
    // PostgreSQL needs a moment to notice that the killed process is gone; nobody else may be counted.
    const users = "select count(*)::int as n from pg_stat_activity where application_name like 'countersign%'";
    await vi.waitFor(async () => expect((await onServer(url, users)).rows).toEqual([{ n: 1 }]), { timeout: 10_000 });
    await next.close();
    expect(await serverPid()).toBeNull();
    await expect(onServer(url, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("is one for all processes, and goes only with the last of them", async () => {
    const [one, two] = await Promise.all([openInChild(), openInChild()]);
    expect(one.url).toBe(two.url);
    const pid = await serverPid();
    await one.close();
    expect(pid !== null && isAlive(pid)).toBe(true);
    const guest = await openEmbedded(dataDir);
    await guest.close();
    expect(await serverPid()).toBe(pid);
    await two.close();
    expect(await serverPid()).toBeNull();
  });

  it("loses nothing when it is killed itself, and comes back under the process that uses it", async () => {
    await openDatabase({ dataDir });
    const pid = await serverPid();
    const id = newId();
    await inPlatform((tx) =>
      tx.tenant.create({ data: { id, slug: "kept", name: "kept", zones: [], residency: "eu" } }),
    );
    process.kill(pid ?? 0, "SIGKILL");
    await vi.waitFor(
      async () => {
        const kept = await inPlatform((tx) => tx.tenant.findMany({ where: { id } }));
        expect(kept).toHaveLength(1);
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(await serverPid()).not.toBe(pid);
  });

  it("is not misled by a pid file whose number belongs to somebody else now", async () => {
    await (await openEmbedded(dataDir)).close();
    const file = join(pgData(await settle(dataDir)), "postmaster.pid");
    await writeFile(file, `${process.pid}\n${dirname(file)}\n0\n1\n\n127.0.0.1\n`);
    const again = await openEmbedded(dataDir);
    expect(again.found).toBe("started");
    await again.close();
  });

  it("keeps its password to the owner, and lets nobody in without it", async () => {
    const { url, close } = await openEmbedded(dataDir);
    expect((await stat(join(dataDir, "postgres.json"))).mode & 0o777).toBe(0o600);
    expect((await stat(pgData(await settle(dataDir)))).mode & 0o777).toBe(0o700);
    const wrong = new URL(url);
    wrong.password = "guess";
    await expect(onServer(wrong.href, "select 1")).rejects.toMatchObject({ code: "28P01" });
    const { rows } = await onServer(
      url,
      "select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories', 'fsync') order by 1",
    );
    expect(rows.map(({ setting }) => setting)).toEqual(["on", "127.0.0.1", ""]);
    await close();
  });

  it("does not start empty where its files have gone missing", async () => {
    await (await openEmbedded(dataDir)).close();
    const data = pgData(await settle(dataDir));
    await rm(data, { recursive: true });
    await expect(openEmbedded(dataDir)).rejects.toThrow(/files are missing/);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "moves to a system folder where its user cannot reach the data folder",
    async () => {
      await chmod(dataDir, 0o700);
      const below = join(dataDir, "home", ".data");
      await mkdir(dirname(below), { mode: 0o700 });
      const { close } = await openEmbedded(below);
      const remembered = JSON.parse(await readFile(join(below, "postgres.json"), "utf8")) as { folder: string };
      expect(remembered.folder).toMatch(/^\/var\/lib\/countersign\/[0-9a-f]{16}-[0-9a-f]{6}$/);
      await close();
      await rm(remembered.folder, { recursive: true, force: true });
    },
  );
});

describe("startup refuses, with the reason,", () => {
  /** The server of this data folder, started by hand with a setting nobody should choose. */
  async function startWith(settings: readonly string[]): Promise<void> {
    await (await openEmbedded(dataDir)).close();
    const place = await settle(dataDir);
    await start(place, await findBinaries(place.osUser, sparePrograms(place)), settings);
  }

  it.each(["fsync", "synchronous_commit"])("a server with %s off", async (name) => {
    await startWith([`${name}=off`]);
    await expect(openDatabase({ dataDir })).rejects.toThrow(new RegExp(`${name} is off \\(set for the whole server`));
  });

  it.each([
    ["database", "alter database countersign"],
    ["login", "alter role countersign"],
  ])("synchronous_commit off for the %s", async (where, statement) => {
    const { url, close } = await openEmbedded(dataDir);
    await onServer(url, `${statement} set synchronous_commit = off`);
    await expect(openDatabase({ dataDir })).rejects.toThrow(
      new RegExp(`synchronous_commit is off \\(set for this ${where}`),
    );
    await onServer(url, `${statement} reset synchronous_commit`);
    await openDatabase({ dataDir });
    await close();
  });

  it.each([
    ["can bypass row security", "alter role countersign_tenant bypassrls", "alter role countersign_tenant nobypassrls"],
    ["is superuser", "alter role countersign_platform superuser", "alter role countersign_platform nosuperuser"],
    ["owns servers", "alter table servers owner to countersign_tenant", "alter table servers owner to countersign"],
    ["can become countersign", "grant countersign to countersign_tenant", "revoke countersign from countersign_tenant"],
    ["can create tables", "grant create on schema public to public", "revoke create on schema public from public"],
    [
      "no forced row security",
      "alter table roles no force row level security",
      "alter table roles force row level security",
    ],
  ])("a runtime role that %s", async (reason, spoil, repair) => {
    const { url } = await openDatabase({ dataDir });
    await closeDatabase();
    const holder = await openEmbedded(dataDir);
    await onServer(placeUrl(await settle(dataDir)), spoil);
    await expect(openDatabase({ dataDir })).rejects.toThrow(reason);
    await onServer(url, repair);
    await openDatabase({ dataDir });
    await holder.close();
  });
});
