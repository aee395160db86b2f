import type { Page } from "@playwright/test";
import { startEverythingOverSse } from "@/lib/testing/sse-upstream";
import { startSocketUpstream } from "@/lib/testing/websocket-upstream";
import { apiOf } from "../api";
import { asAgent, callTool } from "../door";
import { agentNamed, browserOf, expect, person, test } from "../fixtures";

type Pasted = { readonly name: string; readonly type: string; readonly url: string; readonly shown: string };

/** From a pasted line to an enabled server, with one tool granted to those who read records; its id. */
async function register(page: Page, { name, type, url, shown }: Pasted, tool: string): Promise<string> {
  await page.getByRole("link", { name: "Servers", exact: true }).click();
  await page
    .getByRole("link", { name: /register/i })
    .first()
    .click();
  await page.getByLabel(/paste a url/i).fill(JSON.stringify({ mcpServers: { [name]: { type, url } } }));
  await page.getByRole("button", { name: "Read it" }).click();
  await expect(page.getByLabel("Transport")).toContainText(shown);
  await page.getByRole("button", { name: "Probe", exact: true }).click();
  await expect(page.getByText(/It answered and offers \d+ tools/)).toBeVisible();
  await page.getByRole("button", { name: "Register and map its tools" }).click();
  await page.getByRole("button", { name: new RegExp(`^Map ${tool} to `) }).click();
  await page.getByRole("checkbox", { name: new RegExp(`^Grant ${tool} to Record reader`, "i") }).check();
  await page.getByRole("button", { name: "Save and continue" }).click();
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.getByRole("button", { name: "Enable", exact: true }).click();
  await expect(page).toHaveURL(/\/clinic\/servers\/[0-9a-f-]{36}$/);
  return page.url().split("/").at(-1) ?? "";
}

/** What an agent gets from a tool, as soon as it may call it. */
async function answerOf(name: string, args: Record<string, unknown>): Promise<string> {
  let text = "";
  const call = async () => {
    const answer = await asAgent(agentNamed("triage-bot").key, (client) => callTool(client, name, args));
    text = JSON.stringify(answer.content);
    return answer.isError ?? false;
  };
  await expect.poll(call, { timeout: 30_000 }).toBe(false);
  return text;
}

const retire = (id: string) => apiOf(person("clinic", "tenant-admin")).delete(`/api/v1/servers/${id}`);

test("an admin registers a server that speaks over a WebSocket, and an agent calls it", async ({ browser }) => {
  const upstream = await startSocketUpstream();
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  // As long as a slug may be: with its tools' names behind it, some clients refuse the names.
  const name = "bedside-monitors-of-the-ward-12";
  const pasted = { name, type: "ws", url: upstream.url, shown: "WebSocket" };
  const id = await register(page, pasted, "test_simple_text");
  expect(await answerOf(`${name}__test_simple_text`, {})).toContain("text");
  expect(upstream.handshakes.length).toBeGreaterThan(0);
  await page.getByRole("tab", { name: /^Tools/ }).click();
  await expect(page.getByText(/longer than 64 characters, which some clients refuse/)).toBeVisible();
  await context.close();
  await retire(id);
  await upstream.close();
});

test("an admin registers a server of the SSE transport, and an agent calls it", async ({ browser }) => {
  const upstream = await startEverythingOverSse();
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  const id = await register(page, { name: "archive", type: "sse", url: upstream.url, shown: "SSE" }, "get-sum");
  expect(await answerOf("archive__get-sum", { a: 2, b: 40 })).toContain("42");
  await context.close();
  await retire(id);
  await upstream.close();
});
