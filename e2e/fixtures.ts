import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, test as base, expect, type Page } from "@playwright/test";

export type DemoUser = {
  email: string;
  password: string;
  tenant: string | null;
  roles: string[];
  apiToken: string | null;
};
export type DemoCall = { tool: string; arguments: Record<string, unknown> };
export type DemoAgent = {
  name: string;
  tenant: string;
  key: string;
  roles: string[];
  allowed: DemoCall;
  denied: DemoCall;
};
export type Demo = { baseUrl: string; users: DemoUser[]; agents: DemoAgent[] };

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the global setup did not run`);
  return value;
}

export const baseUrl = (): string => required("E2E_BASE_URL");
export const dataDir = (): string => required("E2E_DATA_DIR");
export const demo = (): Demo => JSON.parse(readFileSync(join(dataDir(), "demo.json"), "utf8")) as Demo;

/** The demo person with this role in this tenant. */
export function person(tenant: string, role: string): DemoUser {
  const found = demo().users.find((user) => user.tenant === tenant && user.roles.includes(role));
  if (!found) throw new Error(`no demo person holds ${role} in ${tenant}`);
  return found;
}

export function agentNamed(name: string): DemoAgent {
  const found = demo().agents.find((agent) => agent.name === name);
  if (!found) throw new Error(`the demo has no agent ${name}`);
  return found;
}

/** Signs in for real: the console, the issuer's own page, and back with an authorization code. */
export async function signIn(page: Page, user: DemoUser): Promise<void> {
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByRole("link", { name: /development/i }).click();
  await page.getByLabel(/e-?mail/i).fill(user.email);
  await page.getByLabel(/password/i).fill(user.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/dev-issuer") && !url.pathname.startsWith("/api/auth"));
}

/** A browser of one's own, signed in: three people need three cookie jars. */
export async function browserOf(browser: Browser, user: DemoUser): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await signIn(page, user);
  return { context, page };
}

export const test = base;
export { expect };
