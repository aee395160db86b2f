import Link from "next/link";

/** To the whole of a tool's definition, beside the page and what was begun on it. */
export const DefinitionLink = ({ href }: { readonly href: string }) => (
  <Link className="underline underline-offset-2" href={href} target="_blank" rel="noopener">
    Its definition, in a new tab
  </Link>
);
