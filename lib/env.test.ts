import { readFileSync } from "node:fs";
import { parseEnv as parseDotenv } from "node:util";
import { describe, expect, it } from "vitest";
import { InvalidSettings, parseEnv } from "@/lib/env";

describe("settings", () => {
  it("has defaults for a machine with nothing set", () => {
    const env = parseEnv({});
    expect(env).toMatchObject({ PORT: 3000, HOST: "127.0.0.1", DATA_DIR: ".data", embeddedDatabase: true, demo: true });
  });

  it("turns the demo off by default once a database is given", () => {
    expect(parseEnv({ DATABASE_URL: "postgres://db/x" }).demo).toBe(false);
    expect(parseEnv({ DATABASE_URL: "postgres://db/x", DEMO: "1" }).demo).toBe(true);
    expect(parseEnv({ DEMO: "0" }).demo).toBe(false);
  });

  it("names every bad setting and its rule at once", () => {
    const attempt = () => parseEnv({ PORT: "seventy", NEXTAUTH_SECRET: "short", DATABASE_URL: "mysql://x" });
    expect(attempt).toThrow(InvalidSettings);
    expect(attempt).toThrow(
      /PORT:[\s\S]*DATABASE_URL: must start with postgres[\s\S]*NEXTAUTH_SECRET: must have at least 32/,
    );
  });

  it("reads .env.example, which names every setting", () => {
    const example = parseDotenv(readFileSync(".env.example", "utf8")) as Record<string, string>;
    expect(() => parseEnv(example)).not.toThrow();
    const source = readFileSync("lib/env.ts", "utf8");
    const known = [...source.matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]);
    expect(known.length).toBeGreaterThan(15);
    expect(Object.keys(example).sort()).toEqual(known.sort());
  });
});
