import { expect, it, vi } from "vitest";
import { bus } from "@/lib/core/bus";
import { logger } from "@/lib/core/logger";

it("tells everybody, even behind a listener that fails, and spares whoever announces", () => {
  const failed = vi.spyOn(logger, "error").mockImplementation(() => undefined);
  const heard: string[] = [];
  const ends = [
    bus.subscribe(() => {
      throw new Error("broken");
    }),
    bus.subscribe(({ topic }) => void heard.push(topic)),
  ];
  bus.publish({ topic: "limits.changed", tenantId: "a" });
  for (const end of ends) end();
  bus.publish({ topic: "limits.changed", tenantId: "a" });
  expect(heard).toEqual(["limits.changed"]);
  expect(failed).toHaveBeenCalledOnce();
  failed.mockRestore();
});
