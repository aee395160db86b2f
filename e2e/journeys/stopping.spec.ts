import { asAgent, callTool, entryOf } from "../door";
import { agentNamed, baseUrl, browserOf, type DemoAgent, expect, person, test } from "../fixtures";

/** How long a change may take to be seen here; that it takes at most five seconds is measured beside the gateway. */
const SOON = { timeout: 20_000 };

const callAllowed = (agent: DemoAgent) =>
  asAgent(agent.key, (client) => callTool(client, agent.allowed.tool, agent.allowed.arguments));

/** A demo agent that nobody else in these journeys stops. */
const scribe = (): DemoAgent => agentNamed("scribe");

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
  await expect.poll(async () => JSON.stringify(await callAllowed(agent)), SOON).toContain("killed");

  const refused = await callAllowed(agent);
  await page.goto(`${baseUrl()}/clinic/audit?entry=${entryOf(refused)}`);
  await expect(page.getByRole("dialog")).toContainText(/killed|stopped/i);

  // Drawn by the server with the switch in it, in the banner and in the list: what comes to life later finds the same.
  const broken: string[] = [];
  page.on("pageerror", (error) => broken.push(error.message));
  const drawn = await (await context.request.get(`${baseUrl()}/clinic/settings?tab=kill`)).text();
  expect(["Stopped by kill switch", "It wrote to the wrong ward."].filter((text) => !drawn.includes(text))).toEqual([]);
  await page.goto(`${baseUrl()}/clinic/settings?tab=kill`);
  await expect(page.getByRole("region", { name: "Kill switches" })).toContainText("agent scribe");
  await expect(page.getByRole("table", { name: "Stopped now" })).toContainText("It wrote to the wrong ward.");
  await page.getByRole("button", { name: /lift/i }).first().click();
  await expect(page.getByRole("alertdialog").getByLabel("Reason")).toBeFocused();
  await page.getByRole("alertdialog").getByLabel("Reason").fill("The ward was right after all.");
  await page.getByRole("alertdialog").getByRole("button", { name: "Lift kill switch" }).click();
  await expect.poll(async () => (await callAllowed(agent)).isError ?? false, SOON).toBe(false);
  await expect(page.getByRole("table", { name: "Lifted" })).toContainText("agent scribe");
  await context.close();
  expect(broken).toEqual([]);
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
  await expect.poll(async () => JSON.stringify(await callAllowed(agent)), SOON).toContain("circuit_open");
  await page.getByRole("button", { name: "Close circuit" }).click();
  await page.getByRole("alertdialog").getByLabel("Reason").fill("The share is back.");
  await page.getByRole("alertdialog").getByRole("button", { name: "Close circuit" }).click();
  await expect.poll(async () => (await callAllowed(agent)).isError ?? false, SOON).toBe(false);
  await context.close();
});
