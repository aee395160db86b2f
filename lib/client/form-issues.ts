import type { FieldPath, FieldValues, UseFormSetError } from "react-hook-form";
import { isApiProblem } from "@/lib/client/api";

/** What went wrong with a submission, in words. */
export const problemText = (cause: unknown): string =>
  cause instanceof Error && cause.message !== "" ? cause.message : "The connection broke before an answer came.";

/** Puts each rejected field's rule at its field and what belongs to no field at the foot of the form. */
export function showIssues<T extends FieldValues>(
  setError: UseFormSetError<T>,
  fields: readonly string[],
  cause: unknown,
): void {
  const issues = isApiProblem(cause) ? cause.issues : [];
  const placed = issues.filter((issue) =>
    fields.some((field) => issue.path === field || issue.path.startsWith(`${field}.`)),
  );
  for (const issue of placed) setError(issue.path as FieldPath<T>, { message: issue.rule });
  if (placed.length < issues.length || issues.length === 0) {
    const rest = issues.filter((issue) => !placed.includes(issue)).map((issue) => `${issue.path}: ${issue.rule}`);
    setError("root", { message: [problemText(cause), ...rest].join(" ") });
  }
}
