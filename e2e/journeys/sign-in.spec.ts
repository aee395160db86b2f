import { apiOf } from "../api";
import { baseUrl, browserOf, demo, expect, person, signIn, test } from "../fixtures";

test("a person signs in, sees their own tenant only, and leaves for good", async ({ browser }) => {
  const { context, page } = await browserOf(browser, person("bank", "viewer"));
  await expect(page).toHaveURL(/\/bank\/overview/);
  const foreign = await page.request.get(`${baseUrl()}/clinic/overview`);
  expect(await foreign.text()).not.toContain("Lakeside");
  const cookies = await context.cookies();
  await page
    .getByRole("button", { name: /viewer|person|account|lena/i })
    .first()
    .click();
  await page.getByRole("menuitem", { name: /sign out/i }).click();
  await page.waitForURL(/sign-in/);
  // The cookie from before opens nothing any more: the session was a row, and the row is closed.
  const thief = await browser.newContext();
  await thief.addCookies(cookies);
  const answer = await thief.request.get(`${baseUrl()}/api/v1/me`);
  expect(answer.status()).toBe(401);
  await thief.close();
  await context.close();
});

test("a person ends their session in another browser, which has to sign in with its next request", async ({
  browser,
}) => {
  const lena = person("bank", "viewer");
  const { context, page } = await browserOf(browser, lena);
  const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const lost = await browser.newContext({ userAgent });
  const there = await lost.newPage();
  await signIn(there, lena);
  await expect(there).toHaveURL(/\/bank\/overview/);

  await page.getByRole("button", { name: /account/i }).click();
  await page.getByRole("menuitem", { name: "Your sessions" }).click();
  const sessions = page.getByRole("dialog", { name: "Your sessions" });
  await expect(sessions.getByText("this one")).toHaveCount(1);
  await sessions.getByRole("button", { name: "End the session of Firefox on Windows" }).click();
  await expect(sessions.getByText("Firefox on Windows")).toHaveCount(0);

  expect((await lost.request.get(`${baseUrl()}/api/v1/me`)).status()).toBe(401);
  await there.goto(`${baseUrl()}/bank/servers`);
  await expect(there).toHaveURL(/sign-in/);
  await page.goto(`${baseUrl()}/bank/servers`);
  await expect(page).toHaveURL(/\/bank\/servers/);
  await lost.close();
  await context.close();
});

test("a person of two tenants can switch; the role changes with the tenant", async ({ browser }) => {
  const both = demo().users.find(
    (user) => demo().users.filter((other) => other.email === user.email && other.tenant !== null).length > 1,
  );
  if (!both) throw new Error("the demo has nobody in two tenants");
  const { context, page } = await browserOf(browser, both);
  await page.goto(`${baseUrl()}/clinic/overview`);
  await page
    .getByRole("button", { name: /switch tenant|lakeside/i })
    .first()
    .click();
  await page
    .getByRole("menuitem", { name: /bank|trust/i })
    .first()
    .click();
  await page.waitForURL(/\/bank\//);
  await expect(page.getByRole("link", { name: /audit/i }).first()).toBeVisible();
  await context.close();
});

test("a person of no tenant is told so", async ({ page }) => {
  const nobody = demo().users.find((user) => user.tenant === null && user.roles.length === 0);
  if (!nobody) throw new Error("the demo has nobody without a tenant");
  await signIn(page, nobody);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/not a member of any tenant/i);
  await expect(page.getByRole("button", { name: /sign out/i })).toBeVisible();
});

test("a wrong password opens nothing", async ({ page }) => {
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByRole("link", { name: /development/i }).click();
  await page.getByLabel(/e-?mail/i).fill(person("clinic", "tenant-admin").email);
  await page.getByLabel(/password/i).fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText(/not right|wrong|do not match|unknown/i).first()).toBeVisible();
  await page.goto(`${baseUrl()}/clinic/overview`);
  await expect(page).toHaveURL(/sign-in/);
});

test("a header that once skipped middleware opens nothing", async ({ request }) => {
  const answer = await request.get(`${baseUrl()}/api/v1/servers`, {
    headers: { "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware" },
  });
  expect(answer.status()).toBe(401);
});

test("an officer changes nothing, by button or by hand", async ({ browser }) => {
  const officer = person("clinic", "compliance-officer");
  const { context, page } = await browserOf(browser, officer);
  await page.goto(`${baseUrl()}/clinic/servers`);
  await expect(page.getByRole("link", { name: /register/i })).toHaveCount(0);
  const input = { slug: "sneaky", name: "x", endpoint: { transport: "http", url: "https://example.org/mcp" } };
  await expect(apiOf(officer).post("/api/v1/servers", input)).rejects.toThrow(/403.*servers:write/);
  await context.close();
});
