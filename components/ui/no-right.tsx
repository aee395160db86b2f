import { Lock } from "lucide-react";

/** Names the permission, not the content. */
export function NoRight({ what, permission }: { readonly what: string; readonly permission: string }) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-md border border-dashed border-line px-4 py-12 text-center">
      <Lock aria-hidden className="size-5 text-muted" />
      <h1 className="font-semibold">{what}: not open to you</h1>
      <p className="max-w-[60ch] text-sm text-muted">
        None of your roles here holds <code className="font-mono text-text">{permission}</code>. A tenant admin can give
        you a role that does.
      </p>
    </div>
  );
}
