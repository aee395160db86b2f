import type { Page } from "@playwright/test";
import { apiOf } from "../api";
import { asAgent, type CallAnswer, callTool, entryOf } from "../door";
import { agentNamed, baseUrl, browserOf, expect, person, test } from "../fixtures";

/** An agent of this journey's own: the others must not run into its limit. */
async function newAgent(): Promise<{ readonly id: string; readonly key: string }> {
  const admin = apiOf(person("clinic", "tenant-admin"));
  const roles = agentNamed("triage-bot").roles;
  const { id } = await admin.post<{ id: string }>("/api/v1/agents", { slug: "hasty", name: "Hasty", roles });
  const { secret } = await admin.post<{ secret: string }>(`/api/v1/agents/${id}/keys`, { name: "journey" });
  return { id, key: secret };
}

async function setLimit(page: Page, perSecond: string, reason: string): Promise<void> {
  await page.getByLabel("Calls per second").fill(perSecond);
  await page.getByLabel("Reason").fill(reason);
  await page.getByRole("button", { name: "Save limit" }).click();
  // The form begins anew with what is stored.
  await expect(page.getByLabel("Reason")).toHaveValue("");
}

test("an admin limits an agent, which is refused above it and told what is left", async ({ browser }) => {
  const { id, key } = await newAgent();
  const { tool, arguments: args } = agentNamed("triage-bot").allowed;
  const three = () =>
    asAgent(key, (client) => Promise.all([1, 2, 3].map(() => callTool(client, tool, args)))) as Promise<CallAnswer[]>;
  const refusedOf = (answers: readonly CallAnswer[]) => answers.filter(({ isError }) => isError === true);
  expect(refusedOf(await three())).toEqual([]);

  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.goto(`${baseUrl()}/clinic/agents/${id}`);
  await setLimit(page, "1", "It asks more than it needs");
  let refused: readonly CallAnswer[] = [];
  const limited = async () => {
    refused = refusedOf(await three());
    return refused.length;
  };
  await expect.poll(limited, { timeout: 30_000 }).toBeGreaterThan(0);
  const [first] = refused;
  if (first === undefined) throw new Error("nothing was refused");
  expect(JSON.stringify(first.content)).toMatch(/limit of 1 calls per second is used up. Try again in \d+ ms/);
  expect(first._meta?.["dev.countersign/limit"]).toMatchObject({ scope: "agent", limit: 1, remaining: 0 });
  expect(first._meta?.["dev.countersign/error"]).toMatchObject({
    code: "rate_limited",
    retryAfterMs: expect.any(Number),
  });

  await page.goto(`${baseUrl()}/clinic/audit?entry=${entryOf(first)}`);
  await expect(page.getByRole("dialog")).toContainText("rate_limited");

  await page.goto(`${baseUrl()}/clinic/agents/${id}`);
  await expect(page.getByLabel("Calls per second")).toHaveValue("1");
  await setLimit(page, "", "It learned to wait");
  await expect.poll(async () => refusedOf(await three()).length, { timeout: 30_000 }).toBe(0);
  await context.close();
});
