import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { env } from "@/lib/env";

const demoFile = z.object({
  users: z.array(
    z.object({
      email: z.string().transform((text) => text.toLowerCase()),
      password: z.string().min(1),
      name: z.string().optional(),
      tenant: z.string().nullish(),
      roles: z.array(z.string()).default([]),
    }),
  ),
});

export type DemoUser = {
  readonly email: string;
  readonly password: string;
  readonly name?: string | undefined;
  /** `clinic: developer`, one per tenant the person belongs to. */
  readonly places: readonly string[];
};

/** The people of `<DATA_DIR>/demo.json`; none where the demo was never seeded. */
export async function readDemoUsers(): Promise<readonly DemoUser[]> {
  try {
    const text = await readFile(join(env().DATA_DIR, "demo.json"), "utf8");
    return toPeople(demoFile.parse(JSON.parse(text)).users);
  } catch {
    return [];
  }
}

/** The file has a line per membership; a person of two tenants is still one person. */
function toPeople(lines: z.output<typeof demoFile>["users"]): readonly DemoUser[] {
  const people = new Map<string, DemoUser>();
  for (const { email, password, name, tenant, roles } of lines) {
    const place = [tenant, roles.join(", ")].filter((text) => text).join(": ");
    const places = [...(people.get(email)?.places ?? []), ...(place === "" ? [] : [place])];
    people.set(email, { email, password, name, places });
  }
  return [...people.values()];
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The user with that address and password, or undefined. */
export function matchUser(users: readonly DemoUser[], email: string, password: string): DemoUser | undefined {
  const user = users.find((candidate) => candidate.email === email.trim().toLowerCase());
  return user !== undefined && timingSafeEqual(digest(user.password), digest(password)) ? user : undefined;
}

/** What to call a demo user: `ada.lovelace@…` is Ada Lovelace. */
export const nameOf = (user: DemoUser): string =>
  user.name ??
  (user.email.split("@")[0] ?? user.email)
    .split(/[._-]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join(" ");
