import { join, resolve } from "node:path";
import { asAgent, callTool, entryOf } from "../door";
import { browserOf, dataDir, demo, expect, person, test } from "../fixtures";
import { verifyFile, verifySpoiled } from "../verify-file";

const EVERYTHING = resolve("node_modules/@modelcontextprotocol/server-everything/dist/index.js");

test("an admin opens a server, an agent uses it, an officer proves what happened", async ({ browser }) => {
  test.setTimeout(180_000);
  const agent = demo().agents.find((candidate) => candidate.name === "triage-bot");
  if (!agent) throw new Error("the demo has no triage-bot");

  await test.step("the admin registers a real server and grants two of its tools", async () => {
    const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
    await page.getByRole("link", { name: "Servers", exact: true }).click();
    await page
      .getByRole("link", { name: /register/i })
      .first()
      .click();
    await page
      .getByLabel(/paste a url/i)
      .fill(JSON.stringify({ mcpServers: { lab: { command: "node", args: [EVERYTHING, "stdio"] } } }));
    await page.getByRole("button", { name: "Read it" }).click();
    await page.getByRole("button", { name: "Start the command and probe" }).click();
    await page.getByRole("button", { name: "Register and map its tools" }).click();
    for (const tool of ["echo", "get-sum"]) {
      await page.getByRole("button", { name: new RegExp(`^Map ${tool} to `) }).click();
      await page.getByRole("checkbox", { name: new RegExp(`^Grant ${tool} to Record reader`, "i") }).check();
    }
    await page.getByRole("button", { name: "Save and continue" }).click();
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByRole("button", { name: "Enable", exact: true }).click();
    await expect(page).toHaveURL(/\/clinic\/servers\/[0-9a-f-]{36}$/);
    await context.close();
  });

  const entries = await test.step("the agent calls one granted tool and one that was not granted", async () =>
    asAgent(agent.key, async (client) => {
      const names = (await client.listTools()).tools.map((tool) => tool.name);
      expect(names).toEqual(expect.arrayContaining(["lab__echo", "lab__get-sum"]));
      expect(names).not.toContain("lab__get-env");
      const allowed = await callTool(client, "lab__get-sum", { a: 2, b: 40 });
      expect(JSON.stringify(allowed.content)).toContain("42");
      const denied = await callTool(client, "lab__get-env", {});
      expect(denied.isError).toBe(true);
      expect(JSON.stringify(denied.content)).toContain("admin:*");
      return { allowed: entryOf(allowed), denied: entryOf(denied) };
    }));

  await test.step("the officer finds both within four interactions and opens the reason", async () => {
    const { context, page } = await browserOf(browser, person("clinic", "compliance-officer"));
    // 1: the trail. 2: search for the server. Both entries are in sight.
    await page.getByRole("link", { name: /audit/i }).first().click();
    await page.getByLabel("Search the trail").fill("lab__");
    const allowed = page.getByRole("link", { name: /triage-bot called lab__get-sum/ }).first();
    const denied = page.getByRole("link", { name: /Denied: agent triage-bot lacks admin:\*, needed for lab__get-env/ });
    await expect(allowed).toBeVisible();
    // 3: the reason.
    await denied.first().click();
    await expect(page).toHaveURL(new RegExp(`entry=${entries.denied}`));
    const drawer = page.getByRole("dialog");
    await expect(drawer).toContainText("unmapped");
    await page.keyboard.press("Escape");
    await allowed.click();
    await expect(page).toHaveURL(new RegExp(`entry=${entries.allowed}`));
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Verify chain" }).click();
    await expect(page.getByText("The chain is valid")).toBeVisible();

    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export JSONL" }).click();
    const file = join(dataDir(), "evidence.jsonl");
    await (await download).saveAs(file);
    await context.close();

    expect(await verifyFile(file)).toMatchObject({ status: 0, said: expect.stringMatching(/valid/i) });
  });

  await test.step("whoever spoils the evidence is found out", async () => {
    const file = join(dataDir(), "evidence.jsonl");
    const target = (lines: string[]) => lines.findIndex((line) => line.includes(`"event_id":"${entries.denied}"`));
    const spoiled = {
      byte: await verifySpoiled(file, "byte", (lines) => {
        const at = target(lines);
        return lines.map((line, index) => (index === at ? line.replace('"denied"', '"deniee"') : line));
      }),
      removed: await verifySpoiled(file, "removed", (lines) => {
        const at = target(lines);
        return lines.filter((_, index) => index !== at);
      }),
      swapped: await verifySpoiled(file, "swapped", (lines) => {
        const at = target(lines);
        const other = lines[at - 1] ?? "";
        return lines.map((line, index) => (index === at ? other : index === at - 1 ? (lines[at] ?? "") : line));
      }),
      beginning: await verifySpoiled(file, "beginning", (lines) => [lines[0] ?? "", ...lines.slice(2)]),
      end: await verifySpoiled(file, "end", (lines) => [...lines.slice(0, -2), lines.at(-1) ?? ""]),
    };
    for (const [how, verdict] of Object.entries(spoiled)) {
      expect(verdict.status, `${how}: ${verdict.said}`).toBe(1);
      expect(verdict.said, how).toMatch(/entry #?\d+|entries \d+/i);
    }
    expect(spoiled.byte.said).toContain(entries.denied);
  });
});
