import type { Browser, Page } from "@playwright/test";
import { seriousFindings } from "../axe";
import { baseUrl, browserOf, type DemoUser, demo, expect, person, test } from "../fixtures";

const NARROW = { width: 390, height: 844 };
const TENANT = "Northwind Insurance";
const HOME = "/northwind-insurance";

function operator(): DemoUser {
  const found = demo().users.find(({ roles }) => roles.includes("platform-admin"));
  if (!found) throw new Error("the demo has no platform admin");
  return found;
}

async function isSound(page: Page): Promise<void> {
  expect(await seriousFindings(page)).toEqual([]);
  const wide = page.viewportSize();
  await page.setViewportSize(NARROW);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(NARROW.width);
  if (wide) await page.setViewportSize(wide);
}

/** Opens the dialog, leaves everything out, and then fills it in. */
async function createTenant(page: Page, admin: DemoUser): Promise<void> {
  await page.getByRole("button", { name: "Create tenant" }).click();
  const dialog = page.getByRole("dialog", { name: "Create a tenant" });
  await dialog.getByRole("button", { name: "Create tenant" }).click();
  await expect(dialog.getByText("is required")).toBeVisible();
  await expect(dialog.getByLabel("Name")).toBeFocused();
  await expect(dialog.getByText(/must start with a letter/)).toBeVisible();
  await isSound(page);
  await dialog.getByLabel("Name").fill(TENANT);
  // What is right by now is not called wrong any longer.
  await expect(dialog.getByLabel("Slug")).toHaveValue("northwind-insurance");
  await expect(dialog.getByText(/must start with a letter/)).toHaveCount(0);
  await dialog.getByLabel("Residency").click();
  await page.getByRole("option", { name: "EU" }).click();
  await dialog.getByLabel("First admin's e-mail").fill(admin.email);
  await dialog.getByRole("button", { name: "Create tenant" }).click();
  await expect(page.getByRole("row", { name: TENANT })).toContainText("active");
}

/** What a tenant without anything in it shows, and where it leads. */
async function lookAround(browser: Browser, admin: DemoUser): Promise<Page> {
  const { page } = await browserOf(browser, admin);
  for (const path of ["overview", "servers", "access", "agents", "audit", "settings?tab=kill"]) {
    await page.goto(`${baseUrl()}${HOME}/${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
    await isSound(page);
  }
  await page.goto(`${baseUrl()}${HOME}/access`);
  await page.getByRole("link", { name: "Register a server" }).click();
  await expect(page.getByRole("heading", { name: "Register a server" })).toBeVisible();
  return page;
}

test("a platform admin opens a tenant, its admin finds it empty, and a suspended one is shut", async ({ browser }) => {
  test.setTimeout(180_000);
  const admin = person("bank", "developer");
  const { context, page } = await browserOf(browser, operator());
  await expect(page.getByRole("heading", { name: "Tenants" })).toBeVisible();
  await isSound(page);
  await page.getByRole("button", { name: "Tenant Platform, switch" }).click();
  await expect(page.getByText("You belong to no tenant.")).toBeVisible();
  await page.keyboard.press("Escape");

  await createTenant(page, admin);
  const inside = await lookAround(browser, admin);

  await page.getByRole("button", { name: `Suspend ${TENANT}` }).click();
  await page.getByLabel("Reason").fill("contract ended");
  await page.getByRole("button", { name: "Suspend tenant" }).click();
  await expect(page.getByRole("row", { name: TENANT })).toContainText("suspended");
  await inside.goto(`${baseUrl()}${HOME}/overview`);
  await expect(inside.getByRole("heading", { name: "Overview" })).toHaveCount(0);
  await inside.context().close();
  await context.close();
});
