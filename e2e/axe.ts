import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./fixtures";

/** Rules whose answer depends on colours; all the others say the same in both themes. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

async function findings(page: Page, theme: string, rules?: readonly string[]): Promise<string[]> {
  // No page here holds a frame of another origin, for which alone the slower mode opens a page of its own.
  const axe = new AxeBuilder({ page }).setLegacyMode(true).options({
    resultTypes: ["violations"],
    ...(rules === undefined ? {} : { runOnly: { type: "rule", values: [...rules] } }),
  });
  const { violations } = await axe.analyze();
  return violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .map(
      (violation) => `${theme}, ${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`,
    );
}

async function wear(page: Page, theme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveCSS("color-scheme", new RegExp(theme));
}

/** What axe finds serious or critical on the page as it is: every rule in light, those about colours in dark too. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await wear(page, "dark");
  const dark = await findings(page, "dark", COLOUR_RULES);
  await wear(page, "light");
  return [...dark, ...(await findings(page, "light"))];
}
