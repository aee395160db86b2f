import { it } from "vitest";
import { checkCircuitAgainstModel } from "@/lib/testing/circuit-model";

it("agrees with the model over 100,000 random histories", () => {
  checkCircuitAgainstModel(100_000);
});
