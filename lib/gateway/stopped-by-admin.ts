import { AppError } from "@/lib/core/errors";

/** A person holds the server's circuit open. */
export const stoppedByAdmin = (slug: string): AppError =>
  new AppError("circuit_open", `An admin of your tenant has stopped calls to the server ${slug}.`, {
    state: "forced-open",
  });
