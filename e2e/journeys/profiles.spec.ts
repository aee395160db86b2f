import { asAgent, callTool, toolNames } from "../door";
import { agentNamed, baseUrl, browserOf, expect, person, test } from "../fixtures";

const PATH = "/api/mcp/p/night-desk";
const count = (text: string | null): number => Number((text ?? "").replaceAll(/\D/g, ""));

test("an admin cuts out a part of the catalog, and an agent works through its door", async ({ browser }) => {
  test.setTimeout(180_000);
  const { key, allowed } = agentNamed("triage-bot");
  const { context, page } = await browserOf(browser, person("clinic", "tenant-admin"));
  await page.goto(`${baseUrl()}/clinic/access?tab=profiles`);
  const row = page.getByRole("row", { name: /Night desk/ });
  const tokens = async () => count((await row.getByRole("cell").nth(4).textContent())?.split("instead")[0] ?? "");

  await test.step("the admin names the tools and reads what their list costs", async () => {
    await page.getByRole("button", { name: "Create profile" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Night desk");
    await expect(dialog.getByLabel("Slug")).toHaveValue("night-desk");
    await dialog.getByLabel("Tools", { exact: true }).fill("files/read_*\nfiles/write_file");
    await dialog.getByRole("button", { name: "Save profile" }).click();
    await expect(dialog).toBeHidden();
    await expect(row).toContainText(PATH);
    const whole = count((await page.getByText(/tokens, estimated as bytes/).textContent())?.split("about")[1] ?? "");
    expect(await tokens()).toBeGreaterThan(0);
    expect(await tokens()).toBeLessThan(whole);
  });

  const listed =
    await test.step("the agent sees of it what it may call, and nothing outside exists there", async () => {
      await expect
        .poll(() => asAgent(key, toolNames, { path: PATH }).catch(() => []), { timeout: 30_000 })
        .toContain(allowed.tool);
      const joint = await asAgent(key, toolNames);
      return asAgent(
        key,
        async (client) => {
          const names = await toolNames(client);
          expect(names).toEqual(joint.filter((name) => name.startsWith("files__read_")));
          expect((await callTool(client, allowed.tool, allowed.arguments)).isError ?? false).toBe(false);
          const denied = await callTool(client, "files__write_file", {});
          expect(JSON.stringify(denied.content)).toContain("files:write");
          const outside = joint.find((name) => !name.startsWith("files__read_")) ?? "";
          expect(outside, "the agent may call something else at the joint door").not.toBe("");
          const beyond = await callTool(client, outside, {});
          expect(JSON.stringify(beyond)).toContain("There is no such tool here.");
          return names;
        },
        { path: PATH },
      );
    });

  await test.step("searching instead of listing costs less, and calls the same tools", async () => {
    const before = await tokens();
    await row.getByRole("button", { name: "Edit Night desk" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("What its door lists").click();
    await page.getByRole("option", { name: /^Search/ }).click();
    await dialog.getByRole("button", { name: "Save profile" }).click();
    await expect(dialog).toBeHidden();
    await expect(row).toContainText("search_tools, call_tool");
    expect(await tokens()).toBeLessThan(before);
    await expect
      .poll(() => asAgent(key, toolNames, { path: PATH }), { timeout: 30_000 })
      .toEqual(["call_tool", "search_tools"]);
    await asAgent(
      key,
      async (client) => {
        const found = JSON.stringify(await callTool(client, "search_tools", { query: "read a text file" }));
        expect(listed.some((name) => found.includes(name))).toBe(true);
        const answer = await callTool(client, "call_tool", { name: allowed.tool, arguments: allowed.arguments });
        expect(answer.isError ?? false).toBe(false);
      },
      { path: PATH },
    );
  });

  await test.step("deleted, its door is closed", async () => {
    await row.getByRole("button", { name: "Delete Night desk" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel("Reason").fill("The night desk closed");
    await dialog.getByRole("button", { name: "Delete profile" }).click();
    await expect(row).toBeHidden();
    const open = () =>
      asAgent(key, toolNames, { path: PATH }).then(
        () => true,
        () => false,
      );
    await expect.poll(open, { timeout: 30_000 }).toBe(false);
  });
  await context.close();
});
