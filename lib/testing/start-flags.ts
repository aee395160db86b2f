import { readFileSync } from "node:fs";
import { join } from "node:path";
import { appRoot } from "@/lib/db/app-root";

/** What `npm start` gives to Node itself: processes that stand for a real one are started with the same. */
export function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(appRoot(), "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  return scripts.start.split(" ").filter((word) => word.startsWith("--"));
}
