import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { readSecrets } from "@/lib/db/process-secrets";
import { parseEnv } from "@/lib/env";

let dataDir = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "countersign-secrets-"));
});

const DATABASE_URL = "postgres://db.example/countersign";

it("makes them once beside the embedded database, for the owner's eyes only", () => {
  const first = readSecrets(parseEnv({ DATA_DIR: dataDir }));
  const second = readSecrets(parseEnv({ DATA_DIR: dataDir }));
  expect(first.masterKey).toHaveLength(32);
  expect(second).toEqual(first);
  expect(statSync(join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
});

it("prefers the environment", () => {
  const key = Buffer.alloc(32, 7);
  const settings = { DATABASE_URL, MASTER_KEY: `k1:${key.toString("base64")}`, NEXTAUTH_SECRET: "s".repeat(40) };
  expect(readSecrets(parseEnv(settings))).toEqual({
    masterKeyId: "k1",
    masterKey: key,
    nextAuthSecret: "s".repeat(40),
  });
});

it("refuses to start without them on a database of its own, naming each setting", () => {
  expect(() => readSecrets(parseEnv({ DATABASE_URL, DATA_DIR: dataDir }))).toThrow(/MASTER_KEY[\s\S]*NEXTAUTH_SECRET/);
  const half = { DATABASE_URL, DATA_DIR: dataDir, NEXTAUTH_SECRET: "s".repeat(40) };
  expect(() => readSecrets(parseEnv(half))).toThrow(/^(?![\s\S]*NEXTAUTH_SECRET)[\s\S]*MASTER_KEY/);
});

it("never writes over a damaged file", () => {
  const file = join(dataDir, "secrets.json");
  writeFileSync(file, "{ half");
  expect(() => readSecrets(parseEnv({ DATA_DIR: dataDir }))).toThrow(/damaged/);
  expect(readFileSync(file, "utf8")).toBe("{ half");
});
