import { readFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";
import { apiOf } from "../api";
import { asAgent, callTool } from "../door";
import { agentNamed, baseUrl, browserOf, expect, person, test } from "../fixtures";

const SEEN = { timeout: 30_000 };

/** Calls that succeed, fail and are denied. */
async function makeTraffic(): Promise<void> {
  const { key, allowed, denied } = agentNamed("triage-bot");
  await asAgent(key, async (client) => {
    for (const { tool, arguments: args } of [allowed, allowed, denied]) await callTool(client, tool, args);
    for (let each = 0; each < 2; each += 1) await callTool(client, allowed.tool, { path: "/not/allowed" });
  });
}

async function filesId(): Promise<string> {
  const servers = await apiOf(person("clinic", "tenant-admin")).get<{ id: string; slug: string }[]>("/api/v1/servers");
  const files = servers.find(({ slug }) => slug === "files");
  if (files === undefined) throw new Error("the demo has no server named files");
  return files.id;
}

/** Presses on the plot of a chart at one part of its width and lets go at another. */
async function draw(page: Page, chart: Locator, from: number, to: number): Promise<void> {
  const plot = chart.locator(".recharts-responsive-container").first();
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  if (box === null) throw new Error("the chart is not drawn");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
  await page.mouse.up();
}

const searchOf = (page: Page) => new URL(page.url()).searchParams;

test("figures lead to their time, to a file, to their entries and to a tool", async ({ browser }) => {
  test.setTimeout(180_000);
  const address = `${baseUrl()}/clinic/servers/${await filesId()}`;
  await makeTraffic();
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  page.setDefaultTimeout(30_000);
  const calls = page.getByRole("figure", { name: "Calls" });
  const latency = page.getByRole("figure", { name: "Latency" });
  const failed = calls.getByRole("link", { name: /^Failed: / }).first();

  await test.step("what just happened is there without asking again, as a drawing and as numbers", async () => {
    await page.goto(`${address}?tab=figures&range=15m&tables=calls`);
    await expect(failed).toBeVisible(SEEN);
    await expect(latency.getByText("P95 limit 5 s, above this scale")).toBeVisible();
    await expect(latency.getByRole("region", { name: "Circuit" }).getByText("closed").first()).toBeVisible();
  });

  await test.step("Enter on a number opens exactly the entries it counts", async () => {
    // What is stored only while one looks makes the number one behind; then one looks again.
    await expect(async () => {
      const count = Number(await failed.textContent());
      await failed.press("Enter");
      await page.waitForURL(/\/audit\?/);
      expect([searchOf(page).get("server"), searchOf(page).get("outcome")]).toEqual(["files", "failure"]);
      const words = await page.getByText(/entr(y|ies), the oldest is the last/).textContent();
      await page.goBack();
      expect(Number.parseInt(words ?? "", 10)).toBe(count);
    }).toPass({ timeout: 60_000 });
  });

  const drawn = await test.step("a range that is drawn is every chart's, and one step back undoes it", async () => {
    await draw(page, latency, 0.4, 0.8);
    await page.waitForURL(/from=/);
    const [from, to] = [searchOf(page).get("from") ?? "", searchOf(page).get("to") ?? ""];
    expect(searchOf(page).has("range")).toBe(false);
    const minutes = (Date.parse(to) - Date.parse(from)) / 60_000;
    await expect(calls.getByRole("row")).toHaveCount(minutes + 1, SEEN);
    await page.goBack();
    await expect.poll(() => searchOf(page).get("range")).toBe("15m");
    return { from, to };
  });

  await test.step("the same range by keyboard, and not one that ends before it begins", async () => {
    await page.getByRole("button", { name: "From – until" }).click();
    const [from, until] = [page.getByLabel("From, UTC"), page.getByLabel("Until, UTC")];
    await from.fill(drawn.to.slice(0, 16));
    await until.fill(drawn.from.slice(0, 16));
    await until.press("Enter");
    await expect(page.getByText("Must be after the beginning.")).toBeVisible();
    await from.fill(drawn.from.slice(0, 16));
    await until.fill(drawn.to.slice(0, 16));
    await until.press("Enter");
    await expect.poll(() => searchOf(page).get("from")).toBe(drawn.from);
    expect(searchOf(page).get("to")).toBe(drawn.to);
  });

  await test.step("the file holds what the table shows", async () => {
    const rows = await calls.getByRole("row").count();
    const downloaded = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download Calls as CSV" }).click();
    const file = await downloaded;
    expect(file.suggestedFilename()).toMatch(/^files-calls-\d{8}T\d{4}Z-\d{8}T\d{4}Z\.csv$/);
    const lines = readFileSync(await file.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(lines[0]).toBe("from,Succeeded,Failed,Denied,Cancelled,Unknown,samples");
    expect(lines).toHaveLength(rows);
    expect(lines[1]).toMatch(new RegExp(`^${drawn.from.replaceAll(".", "\\.")},\\d+,\\d+,\\d+,\\d+,\\d+,\\d+$`));
  });

  await test.step("a tool has a page of its own, for the same time", async () => {
    await page.getByRole("radio", { name: "Last 15 minutes" }).click();
    await page.getByRole("link", { name: "read_text_file" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "read_text_file" })).toBeVisible();
    expect(searchOf(page).get("range")).toBe("15m");
    await expect(page.getByRole("figure", { name: "Where the time went" })).toBeVisible(SEEN);
    await page.getByRole("tab", { name: "Definition and access" }).click();
    await expect(page.getByRole("row", { name: /admin:\*/ })).toBeVisible(SEEN);
  });
  await context.close();
});
