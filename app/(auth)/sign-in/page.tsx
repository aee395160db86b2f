import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { buttonClass } from "@/components/ui/button";
import { signInProviders } from "@/lib/auth/providers";
import { visitor } from "@/lib/auth/request-context";
import { safePath } from "@/lib/auth/safe-path";
import { signInProblem } from "@/lib/auth/sign-in-problems";
import { baseUrl } from "@/lib/env";

export const metadata: Metadata = { title: "Sign in" };

type Search = { readonly callbackUrl?: string | string[]; readonly error?: string | string[] };
type Props = { readonly searchParams: Promise<Search> };

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

export default async function SignInPage({ searchParams }: Props) {
  const search = await searchParams;
  const callbackUrl = safePath(first(search.callbackUrl));
  // Providers send people back to the configured address only; a cookie set under another name would be lost on the way.
  if ((await headers()).get("host") !== new URL(baseUrl()).host) {
    redirect(`${baseUrl()}/sign-in?callbackUrl=${encodeURIComponent(callbackUrl)}`);
  }
  const error = first(search.error);
  if (error === undefined && (await visitor()) !== null) redirect(callbackUrl);
  const providers = signInProviders();
  const problem = error === undefined ? null : signInProblem(error);
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center gap-6 px-4 py-12">
      <header className="flex flex-col gap-1">
        <h1 className="text-lg font-semibold">Sign in to Countersign</h1>
        <p className="text-sm text-muted">The MCP gateway that an auditor can sign off.</p>
      </header>
      {problem === null ? null : (
        <p role="alert" className="rounded-md border border-line bg-bad-soft px-3 py-2 text-sm text-bad">
          {problem}
        </p>
      )}
      <ul className="flex flex-col gap-2">
        {providers.map(({ id, name }) => (
          <li key={id}>
            <a
              className={`${buttonClass({ variant: "primary" })} w-full`}
              href={`/sign-in/${id}?callbackUrl=${encodeURIComponent(callbackUrl)}`}
            >
              Continue with {name}
            </a>
          </li>
        ))}
      </ul>
      {providers.length === 0 ? (
        <p className="text-sm">
          No way to sign in is configured. Set <code>OIDC_ISSUER</code>, <code>OIDC_CLIENT_ID</code> and{" "}
          <code>OIDC_CLIENT_SECRET</code> (or the ENTRA or OKTA settings) and start again.
        </p>
      ) : null}
      {providers.some(({ id }) => id === "development") ? (
        <p className="rounded-md border border-line bg-warn-soft px-3 py-2 text-sm text-warn">
          <strong>DEMO.</strong> The next page lists the demo accounts of every role; choose one. Nothing leaves this
          machine.
        </p>
      ) : null}
    </main>
  );
}
