import type { Page } from "@playwright/test";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { apiOf } from "../api";
import { asAgent, callTool } from "../door";
import { agentNamed, baseUrl, browserOf, expect, person, test } from "../fixtures";

const admin = () => apiOf(person("clinic", "tenant-admin"));

async function openServer(url: string): Promise<string> {
  const endpoint = { transport: "http", url };
  const { id } = await admin().post<{ id: string }>("/api/v1/servers", { slug: "charts", name: "Charts", endpoint });
  const { version } = await admin().get<{ version: number }>("/api/v1/access/map");
  await admin().put("/api/v1/access/map", {
    baseVersion: version,
    changes: [{ server: "charts", tool: "read_chart", permission: "files:read" }],
    reason: "Record readers may read charts",
  });
  await admin().post(`/api/v1/servers/${id}/enable`);
  return id;
}

const read = (chart: string) =>
  asAgent(agentNamed("triage-bot").key, (client) => callTool(client, "charts__read_chart", { chart }));

async function confirm(page: Page, reason: string): Promise<void> {
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel("Reason").fill(reason);
  await dialog.getByRole("button", { name: "Change" }).click();
  await expect(dialog).toBeHidden();
}

test("an admin says which calls are repeated and which answers kept, and sees that it works", async ({ browser }) => {
  const upstream = await startFakeUpstream({
    tools: ["read_chart"],
    annotations: { read_chart: { readOnlyHint: true } },
  });
  const asked = () => upstream.requests.filter(({ method }) => method === "tools/call").length;
  const id = await openServer(upstream.url);
  await expect.poll(async () => (await read("a")).isError ?? false, { timeout: 30_000 }).toBe(false);
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  const overview = `${baseUrl()}/clinic/servers/${id}`;

  /** One fault at the server: true where the agent got its answer all the same, and how often the server was asked. */
  const withFault = async () => {
    const before = asked();
    upstream.setFault("status-500-once");
    const failed = await read("a").then(
      ({ isError }) => isError ?? false,
      () => true,
    );
    return { failed, asked: asked() - before };
  };

  await test.step("calls that only read are repeated after a fault, until the admin says never", async () => {
    expect(await withFault()).toEqual({ failed: false, asked: 2 });
    await page.goto(overview);
    await page.getByLabel("Call again after a fault").click();
    await page.getByRole("option", { name: "Call again: never" }).click();
    await confirm(page, "The server counts every call");
    await expect(page.getByLabel("Call again after a fault")).toContainText("never");
    await expect.poll(withFault, { timeout: 30_000 }).toEqual({ failed: true, asked: 1 });
    upstream.setFault("none");
  });

  await test.step("answers are kept where the admin wants it, and the page says how many were", async () => {
    await page.goto(`${overview}?tab=tools&tool=read_chart`);
    await page.getByLabel("Give answers again").click();
    await page.getByRole("option", { name: "for 5 min" }).click();
    await confirm(page, "Charts change once a day");
    await expect(page.getByLabel("Give answers again")).toContainText("for 5 min");
    const keptNow = async () => {
      await read("b");
      const before = asked();
      await read("b");
      return asked() - before;
    };
    await expect.poll(keptNow, { timeout: 30_000 }).toBe(0);
    await page.goto(overview);
    await expect(page.getByText(/^[1-9]\d* % of \d+ calls$/)).toBeVisible();
    await expect(page.getByText(/^1 answers, \d+ bytes/)).toBeVisible();
  });

  await context.close();
  await admin().delete(`/api/v1/servers/${id}`);
  await upstream.close();
});
