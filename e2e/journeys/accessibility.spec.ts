import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { apiOf } from "../api";
import { baseUrl, browserOf, expect, person, test } from "../fixtures";

const THEMES = ["light", "dark"] as const;

async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** Every page of the console, with something on it. */
async function pagesOf(): Promise<string[]> {
  const admin = apiOf(person("clinic", "tenant-admin"));
  const agents = await admin.get<{ id: string }[]>("/api/v1/agents");
  const servers = await admin.get<{ id: string }[]>("/api/v1/servers");
  const entries = await admin.get<{ items: { id: string }[] }>("/api/v1/audit/entries?limit=1");
  return [
    "overview",
    "servers",
    "servers/new",
    `servers/${servers[0]?.id}`,
    `servers/${servers[0]?.id}?tab=tools`,
    `servers/${servers[0]?.id}?tab=try`,
    `servers/${servers[0]?.id}?tab=settings`,
    "access",
    "access?tab=map",
    "access?tab=roles",
    "access?tab=profiles",
    "access?tab=explain",
    "access?tab=versions",
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

for (const theme of THEMES) {
  test(`axe finds nothing serious on any page, ${theme}`, async ({ browser }) => {
    test.setTimeout(240_000);
    const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    const found: Record<string, string[]> = {};
    const broken: string[] = [];
    page.on("pageerror", (error) => broken.push(`${page.url()}: ${error.message}`));
    for (const path of await pagesOf()) {
      await page.goto(`${baseUrl()}${path}`);
      await expect(page.getByRole("heading", { level: 1 }).first()).toBeVisible();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      const findings = await seriousFindings(page);
      if (findings.length > 0) found[path] = findings;
    }
    await context.close();
    expect(found).toEqual({});
    expect(broken).toEqual([]);
  });

  test(`axe finds nothing serious before sign-in, ${theme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(`${baseUrl()}/sign-in`);
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("link", { name: /development/i }).click();
    await expect(page.getByLabel(/password/i)).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
  });
}

test("no page is wider than a narrow screen", async ({ browser }) => {
  test.setTimeout(240_000);
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.setViewportSize({ width: 390, height: 844 });
  const tooWide: string[] = [];
  for (const path of await pagesOf()) {
    await page.goto(`${baseUrl()}${path}`);
    // On a narrow screen an open entry is a page of its own, and its heading stands for the page's.
    await expect(page.getByRole("heading").first()).toBeVisible();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 390) tooWide.push(`${path}: ${width} px`);
  }
  await context.close();
  expect(tooWide).toEqual([]);
});
