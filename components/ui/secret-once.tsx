import { CopyButton } from "@/components/ui/copy-button";
import { Note } from "@/components/ui/note";

/** A secret on the only occasion it is shown. */
export function SecretOnce({ secret, label }: { readonly secret: string; readonly label: string }) {
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2 rounded-md border border-line bg-surface p-3">
        <output aria-label={`New ${label}`} className="min-w-0 flex-1 font-mono text-sm break-all">
          {secret}
        </output>
        <CopyButton value={secret} label={`Copy ${label}`} withText />
      </div>
      <Note tone="warn">This is the only time it is shown. Put it where secrets belong; never into a repository.</Note>
    </div>
  );
}
