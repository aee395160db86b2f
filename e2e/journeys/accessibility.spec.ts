import type { Page } from "@playwright/test";
import { apiOf } from "../api";
import { seriousFindings } from "../axe";
import { baseUrl, browserOf, expect, person, test } from "../fixtures";

const NARROW = { width: 390, height: 844 };

/** Every page of the console, with something on it. */
async function pagesOf(): Promise<string[]> {
  const admin = apiOf(person("clinic", "tenant-admin"));
  const agents = await admin.get<{ id: string }[]>("/api/v1/agents");
  const servers = await admin.get<{ id: string; slug: string }[]>("/api/v1/servers");
  const entries = await admin.get<{ items: { id: string }[] }>("/api/v1/audit/entries?limit=1");
  const server = `servers/${servers.find(({ slug }) => slug === "files")?.id}`;
  return [
    "overview",
    "overview?tables=latency",
    "alerts",
    "alerts?tab=rules",
    "alerts?tab=channels",
    "servers",
    "servers/new",
    server,
    `${server}?tab=figures`,
    `${server}?tab=figures&tables=calls,latency,circuit-`,
    `${server}/tools/read_text_file`,
    `${server}/tools/read_text_file?tab=definition`,
    `${server}?tab=tools`,
    `${server}?tab=tools&tool=read_text_file`,
    `${server}?tab=try`,
    `${server}?tab=settings`,
    "access",
    "access?tab=map",
    "access?tab=roles",
    "access?tab=profiles",
    "access?tab=explain",
    "access?tab=versions",
    "access?tab=versions&version=1",
    "agents",
    `agents/${agents[0]?.id}`,
    `agents/${agents[0]?.id}/connect`,
    "audit",
    `audit?entry=${entries.items[0]?.id}`,
    "members",
    "settings",
    "settings?tab=limits",
    "settings?tab=kill",
    "settings?tab=tokens",
  ].map((path) => `/clinic/${path}`);
}

/** Opens a page and waits until what it asked for is there. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${baseUrl()}${path}`);
  // On a narrow screen an open entry is a page of its own, and its heading stands for the page's.
  await expect(page.getByRole("heading").first()).toBeVisible();
  await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
}

test("axe finds nothing serious on any page, in both themes", async ({ browser }) => {
  test.setTimeout(300_000);
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  const found: Record<string, string[]> = {};
  const broken: string[] = [];
  page.on("pageerror", (error) => broken.push(`${page.url()}: ${error.message}`));
  for (const path of await pagesOf()) {
    await open(page, path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const findings = await seriousFindings(page);
    if (findings.length > 0) found[path] = findings;
  }
  await context.close();
  expect(found).toEqual({});
  expect(broken).toEqual([]);
});

test("axe finds nothing serious before sign-in, in both themes", async ({ page }) => {
  await page.goto(`${baseUrl()}/sign-in`);
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole("link", { name: /development/i }).click();
  await expect(page.getByLabel(/password/i)).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
});

test("no page is wider than a narrow screen", async ({ browser }) => {
  test.setTimeout(240_000);
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.setViewportSize(NARROW);
  const tooWide: string[] = [];
  for (const path of await pagesOf()) {
    await open(page, path);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > NARROW.width) tooWide.push(`${path}: ${width} px`);
  }
  await context.close();
  expect(tooWide).toEqual([]);
});
