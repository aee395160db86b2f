import type { Page } from "@playwright/test";
import { apiOf } from "../api";
import { startChangingServer } from "../changing-server";
import { asAgent, callTool } from "../door";
import { agentNamed, baseUrl, browserOf, expect, person, test } from "../fixtures";

type Alert = {
  readonly id: string;
  readonly state: string;
  readonly server: string | null;
  readonly metric: string | null;
  readonly since: string;
  readonly firedAt: string | null;
  readonly callersHit: number | null;
  readonly history: readonly { readonly what: string; readonly who: string | null; readonly text: string }[];
};
type Entry = { readonly ts: string; readonly latencyMs: number | null; readonly sentence: string };

/** Whoever looks sees it within this; how long it took is judged by the alert's own times. */
const SEEN = { timeout: 60_000 };
/** Far on either side of the rule's limit of 1.5 s, so that a busy machine makes no quick call slow. */
const SLOW_MS = 2_500;
const QUOTE = { name: "quote", description: "Quotes a price.", inputSchema: { type: "object" as const } };
const CALLERS = ["triage-bot", "scribe"];
const admin = () => apiOf(person("clinic", "tenant-admin"));

/** A server named billing, with one tool that both agents may call. */
async function openServer(url: string): Promise<string> {
  const { id } = await admin().post<{ id: string }>("/api/v1/servers", {
    slug: "billing",
    name: "Billing",
    endpoint: { transport: "http", url },
  });
  const map = await admin().get<{ version: number }>("/api/v1/access/map");
  await admin().put("/api/v1/access/map", {
    baseVersion: map.version,
    changes: [{ server: "billing", tool: "quote", permission: "files:read" }],
    reason: "Both agents may ask for prices",
  });
  await admin().post(`/api/v1/servers/${id}/enable`);
  return id;
}

/** So many calls by each of the agents, a few at a time. */
const callBy = (names: readonly string[], count: number) =>
  Promise.all(
    names.map((name) =>
      asAgent(agentNamed(name).key, async (client) => {
        for (let done = 0; done < count; done += 4) {
          await Promise.all(Array.from({ length: 4 }, () => callTool(client, "billing__quote", {})));
        }
      }),
    ),
  );

const isAllowed = () =>
  asAgent(
    agentNamed("triage-bot").key,
    async (client) => (await callTool(client, "billing__quote", {})).isError !== true,
  );

async function createRule(page: Page): Promise<void> {
  await page.getByRole("link", { name: /^Alerts/ }).click();
  await page.getByRole("tab", { name: "Rules" }).click();
  await page.getByRole("button", { name: "Create rule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Prices take long");
  await dialog.getByLabel("Limit").fill("none");
  await dialog.getByRole("button", { name: "Save rule" }).click();
  await expect(dialog.getByText("must be milliseconds, from 1 to 3600000")).toBeVisible();
  await dialog.getByLabel("Limit").fill("1500");
  await dialog.getByLabel("Server").click();
  await page.getByRole("option", { name: "billing" }).click();
  await dialog.getByLabel("Window, minutes").fill("1");
  await dialog.getByLabel("Least calls").fill("4");
  await dialog.getByRole("button", { name: "Save rule" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("row", { name: /Prices take long/ })).toContainText("P95 of billing above 1.5 s");
}

async function actOnCircuit(page: Page, act: string, reason: string): Promise<void> {
  await page.getByRole("button", { name: `${act} circuit` }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel("Reason").fill(reason);
  await dialog.getByRole("button", { name: `${act} circuit` }).click();
  await expect(dialog).toBeHidden();
}

const alertOf = async (id: string) => admin().get<Alert>(`/api/v1/alerts/${id}`);
const entriesOf = async (query: string) =>
  (await admin().get<{ items: Entry[] }>(`/api/v1/audit/entries?${query}`)).items;

/** The alert's own times: from when the first slow answer was written down until it fired. */
async function waitedMs({ firedAt }: Alert): Promise<number> {
  const calls = await entriesOf("server=billing&phase=outcome");
  const slow = calls
    .filter(({ latencyMs }) => latencyMs !== null && latencyMs >= SLOW_MS)
    .map(({ ts }) => Date.parse(ts));
  return Date.parse(firedAt ?? "") - Math.min(...slow);
}

test("a slow upstream is seen, looked into, stopped, healed and let go on", async ({ browser }) => {
  test.setTimeout(300_000);
  const server = await startChangingServer([QUOTE]);
  const id = await openServer(server.url);
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  page.setDefaultTimeout(30_000);
  try {
    await test.step("a rule says what is too slow; a wrong one is refused at its field", () => createRule(page));

    const alert =
      await test.step("the overview says which server, since when, and how many callers are hit", async () => {
        server.take(SLOW_MS);
        await expect.poll(isAllowed, SEEN).toBe(true);
        await callBy(CALLERS, 4);
        await page.getByRole("link", { name: "Overview", exact: true }).click();
        const row = page.getByRole("listitem").filter({ hasText: /^warning.*P95 of billing/ });
        await expect(row).toContainText("2 callers hit", SEEN);
        await expect(row).toContainText(/above 1.5 s/);
        await expect(row).toContainText(/since \d+ \w+ \d{4}, [\d:]+ UTC/);
        const open = (await admin().get<{ items: Alert[] }>("/api/v1/alerts?server=billing")).items;
        const found = open.find(({ metric }) => metric === "p95_ms");
        if (found === undefined) throw new Error("the alert that the page shows is not in the list");
        expect(await waitedMs(found), "from the first slow answer to the alert").toBeLessThan(30_000);
        await row.getByRole("link", { name: /^Latency and circuit/ }).click();
        return found;
      });

    await test.step("one click shows latency and circuit, the next the entries", async () => {
      await expect(page).toHaveURL(new RegExp(`/clinic/servers/${id}\\?tab=figures&from=`));
      await expect(page.getByRole("figure", { name: "Latency" })).toBeVisible();
      await expect(page.getByText(/circuit/i).first()).toBeVisible();
      await page.getByRole("link", { name: "Last entries" }).click();
      await expect(page.getByRole("link", { name: /scribe called billing__quote/ }).first()).toBeVisible();
    });

    await test.step("the person acknowledges, and trips the circuit with a reason", async () => {
      await page.getByRole("link", { name: /^Alerts/ }).click();
      const line = page.getByRole("table", { name: "Open alerts" }).getByRole("link", { name: /P95 of billing/ });
      await line.focus();
      await page.keyboard.press("Enter");
      await expect(page.getByRole("dialog")).toContainText("Fired");
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toBeHidden();
      await expect(line).toBeFocused();
      await page.keyboard.press("Enter");
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Acknowledge/ })
        .click();
      await page.getByRole("alertdialog").getByLabel("Note").fill("I look into billing.");
      await page.getByRole("alertdialog").getByRole("button", { name: "Acknowledge alert" }).click();
      await expect(page.getByRole("dialog")).toContainText("I look into billing.");
      await page.goto(`${baseUrl()}/clinic/servers/${id}`);
      await actOnCircuit(page, "Trip", "Billing is moved to a quicker host.");
      await expect.poll(isAllowed, SEEN).toBe(false);
    });

    await test.step("healed, the circuit is closed and reset, and calls are quick again", async () => {
      server.take(0);
      await actOnCircuit(page, "Close", "Billing answers quickly again.");
      await actOnCircuit(page, "Reset", "Begin counting anew.");
      await expect.poll(isAllowed, SEEN).toBe(true);
      await callBy(CALLERS, 100);
    });

    await test.step("the trail and the alert's history tell the story", async () => {
      const told = (await entriesOf("range=15m&phase=admin&limit=100")).map(({ sentence }) => sentence).join("\n");
      for (const word of [/rule/i, /acknowledged/i, /tripped/i, /closed/i, /reset/i]) expect(told).toMatch(word);
      await expect.poll(async () => (await alertOf(alert.id)).state, { timeout: 150_000 }).toBe("resolved");
      const { history } = await alertOf(alert.id);
      expect(history.map(({ what }) => what).filter((what) => !what.startsWith("notice"))).toEqual(
        expect.arrayContaining(["firing", "acknowledged", "resolved"]),
      );
      await page.goto(`${baseUrl()}/clinic/alerts?tab=all&alert=${alert.id}`);
      await expect(page.getByRole("dialog").getByRole("listitem").last()).toContainText(/no longer above 1.5 s/);
    });
  } finally {
    await context.close();
    await admin().delete(`/api/v1/servers/${id}`);
    await server.close();
  }
});
