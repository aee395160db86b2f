import "server-only";
import { hkdfSync, randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { singleton } from "@/lib/core/singleton";
import { type Env, env, InvalidSettings } from "@/lib/env";

export type ProcessSecrets = {
  readonly masterKeyId: string;
  /** 32 bytes. Wraps the tenants' data keys and nothing else. */
  readonly masterKey: Buffer;
  readonly nextAuthSecret: string;
};

const secretsFile = z.object({
  masterKey: z.string().regex(/^[A-Za-z0-9_-]+:.{43,44}$/),
  nextAuthSecret: z.string().min(32),
});
type SecretsFile = z.output<typeof secretsFile>;

/**
 * The secrets of this process: from the environment, or, with the embedded database or in the demo, made once and kept
 * in `<DATA_DIR>/secrets.json`. Throws naming the setting where neither holds.
 */
export const processSecrets = (): ProcessSecrets => singleton("db.process-secrets", () => readSecrets(env()));

/** 32 bytes that all processes with the same secrets have for this purpose, and nobody else; HKDF (RFC 5869) with SHA-256. */
export const secretFor = (purpose: string): Buffer =>
  singleton(`db.secret-for.${purpose}`, () =>
    Buffer.from(hkdfSync("sha256", processSecrets().nextAuthSecret, "", `countersign/${purpose}`, 32)),
  );

/** `processSecrets` for given settings. */
export function readSecrets(settings: Env): ProcessSecrets {
  const given = { masterKey: settings.MASTER_KEY, nextAuthSecret: settings.NEXTAUTH_SECRET };
  if (given.masterKey === undefined || given.nextAuthSecret === undefined) {
    if (!settings.embeddedDatabase && !settings.demo) throw new InvalidSettings(complaint(given));
    const kept = keptSecrets(join(resolve(settings.DATA_DIR), "secrets.json"));
    return parse(given.masterKey ?? kept.masterKey, given.nextAuthSecret ?? kept.nextAuthSecret);
  }
  return parse(given.masterKey, given.nextAuthSecret);
}

function complaint(given: { masterKey: string | undefined; nextAuthSecret: string | undefined }): string {
  const lines: string[] = [];
  if (given.masterKey === undefined) {
    lines.push('  MASTER_KEY: is needed with DATABASE_URL; make one with: echo "k1:$(openssl rand -base64 32)"');
  }
  if (given.nextAuthSecret === undefined) {
    lines.push("  NEXTAUTH_SECRET: is needed with DATABASE_URL; make one with: openssl rand -hex 32");
  }
  return `These settings are missing:\n${lines.join("\n")}`;
}

function parse(masterKey: string, nextAuthSecret: string): ProcessSecrets {
  const split = masterKey.indexOf(":");
  const key = Buffer.from(masterKey.slice(split + 1), "base64");
  if (key.length !== 32) throw new InvalidSettings("These settings are not usable:\n  MASTER_KEY: must hold 32 bytes");
  return { masterKeyId: masterKey.slice(0, split), masterKey: key, nextAuthSecret };
}

function keptSecrets(path: string): SecretsFile {
  return readKept(path) ?? makeKept(path);
}

function readKept(path: string): SecretsFile | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
  try {
    return secretsFile.parse(JSON.parse(text));
  } catch (cause) {
    // Never made anew over an existing file: without the old key nothing sealed opens again.
    throw new InvalidSettings(`${path} is damaged. Restore it from a backup, or set MASTER_KEY and NEXTAUTH_SECRET.`, {
      cause,
    });
  }
}

function makeKept(path: string): SecretsFile {
  const made = {
    masterKey: `local:${randomBytes(32).toString("base64")}`,
    nextAuthSecret: randomBytes(32).toString("hex"),
  };
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const part = `${path}.${process.pid}`;
  writeFileSync(part, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  try {
    // A link appears whole or not at all, and never replaces what another process made first.
    linkSync(part, path);
    return made;
  } catch (cause) {
    const others = readKept(path);
    if (others === null) throw cause;
    return others;
  } finally {
    rmSync(part, { force: true });
  }
}
