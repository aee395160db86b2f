import { asAgent, callTool, entryOf } from "../door";
import { baseUrl, browserOf, type DemoAgent, demo, expect, person, test } from "../fixtures";

const callAllowed = (agent: DemoAgent) =>
  asAgent(agent.key, (client) => callTool(client, agent.allowed.tool, agent.allowed.arguments));

/** A demo agent that nobody else in these journeys stops. */
function scribe(): DemoAgent {
  const found = demo().agents.find((agent) => agent.name === "scribe");
  if (!found) throw new Error("the demo has no scribe");
  return found;
}

test("an admin stops an agent with a reason, and lets it go on", async ({ browser }) => {
  const agent = scribe();
  expect((await callAllowed(agent)).isError ?? false).toBe(false);
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.getByRole("link", { name: "Agents", exact: true }).click();
  await page
    .getByRole("link", { name: /^Scribe/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Kill switch" }).first().click();
  await page.getByRole("alertdialog").getByLabel("Reason").fill("It wrote to the wrong ward.");
  await page.getByRole("alertdialog").getByRole("button", { name: /^stop/i }).click();
  await expect(page.getByRole("alertdialog")).toHaveCount(0);
  await expect.poll(async () => JSON.stringify(await callAllowed(agent)), { timeout: 5_000 }).toContain("killed");

  const refused = await callAllowed(agent);
  await page.goto(`${baseUrl()}/clinic/audit?entry=${entryOf(refused)}`);
  await expect(page.getByRole("dialog")).toContainText(/killed|stopped/i);

  await page.goto(`${baseUrl()}/clinic/settings?tab=kill`);
  await page.getByRole("button", { name: /lift/i }).first().click();
  await page.getByRole("alertdialog").getByLabel("Reason").fill("The ward was right after all.");
  await page.getByRole("alertdialog").getByRole("button", { name: "Lift kill switch" }).click();
  await expect.poll(async () => (await callAllowed(agent)).isError ?? false, { timeout: 5_000 }).toBe(false);
  await context.close();
});

test("an admin trips a circuit by hand, sees it open, and closes it", async ({ browser }) => {
  const agent = scribe();
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.getByRole("link", { name: "Servers", exact: true }).click();
  await page
    .getByRole("link", { name: /^Files/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Trip circuit" }).click();
  await page.getByRole("alertdialog").getByLabel("Reason").fill("The share is being moved.");
  await page.getByRole("alertdialog").getByRole("button", { name: "Trip circuit" }).click();
  await expect.poll(async () => JSON.stringify(await callAllowed(agent)), { timeout: 5_000 }).toContain("circuit_open");
  await page.getByRole("button", { name: "Close circuit" }).click();
  await page.getByRole("alertdialog").getByLabel("Reason").fill("The share is back.");
  await page.getByRole("alertdialog").getByRole("button", { name: "Close circuit" }).click();
  await expect.poll(async () => (await callAllowed(agent)).isError ?? false, { timeout: 5_000 }).toBe(false);
  await context.close();
});
