import { CodeBlock } from "@/components/ui/code-block";

/** Any JSON value, pretty, with a copy button. */
export function JsonView({ value, label = "JSON" }: { readonly value: unknown; readonly label?: string }) {
  return <CodeBlock code={JSON.stringify(value, null, 2) ?? "null"} label={label} wrap />;
}
