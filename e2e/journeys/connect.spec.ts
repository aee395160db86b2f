import { asAgent, callTool } from "../door";
import { browserOf, expect, person, test } from "../fixtures";

test("a developer makes an agent, pastes one snippet, and the console says so by itself", async ({ browser }) => {
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.getByRole("link", { name: "Agents", exact: true }).click();
  await page.getByRole("button", { name: /create agent/i }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^name/i).fill("Night shift");
  await dialog.getByRole("button", { name: /create/i }).click();
  await page.waitForURL(/\/clinic\/agents\/[^/]+/);
  if (!page.url().endsWith("/connect"))
    await page
      .getByRole("link", { name: /connect/i })
      .first()
      .click();
  await page
    .getByRole("button", { name: /mint|make.*key/i })
    .first()
    .click();
  const snippet = page.locator("pre").first();
  await expect(snippet).toContainText(/cs_[A-Za-z0-9_-]{43}/);
  const key = /cs_[A-Za-z0-9_-]{43}/.exec((await snippet.textContent()) ?? "")?.[0];
  if (!key) throw new Error("the snippet holds no key");
  await expect(page.getByText(/waiting for the first call/i)).toBeVisible();
  const answer = await asAgent(key, (client) => callTool(client, "files__write_file", {}));
  expect(answer.isError).toBe(true);
  await expect(page.getByText(/files__write_file/).first()).toBeVisible();
  await context.close();
});
