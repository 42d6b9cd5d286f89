"""A line with a secret in each well-known format, as it would stand in a file.

The values are random and made when a test runs, so that the repository holds nothing that looks like a secret.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid

LOWER = string.ascii_lowercase + string.digits
LETTERS = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
URL_SAFE = f"{LETTERS}-_"
HEX = "0123456789abcdef"
BASE32 = f"{string.ascii_uppercase}234567"


def secret_formats(seed: int = 1) -> dict[str, str]:
    """Return a line for each format by the name of the format."""
    return {name: line for group in (_clouds, _code, _models, _services, _files) for name, line in group(_Make(seed))}


class _Make:
    """Makes random text: `make(36)` has letters and digits, `make(32, HEX)` those of another alphabet."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __call__(self, length: int, alphabet: str = LETTERS) -> str:
        return "".join(self.random.choices(alphabet, k=length))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def base64(self, size: int) -> str:
        return base64.b64encode(self.random.randbytes(size)).decode()


Lines = list[tuple[str, str]]


def _clouds(make: _Make) -> Lines:
    return [
        ("AWS access key", "AKIA" + make(16, BASE32)),
        ("AWS temporary key", "ASIA" + make(16, BASE32)),
        ("AWS secret key", f"aws_secret_access_key = {make(40)}"),
        ("Google API key", "AIza" + make(35, URL_SAFE[:-2])),
        ("Google OAuth secret", "GOCSPX-" + make(28)),
        ("Google access token", "ya29." + make(80)),
        ("Azure storage", f"AccountName=data;AccountKey={make.base64(64)};EndpointSuffix=core.windows.net"),
        ("Azure AD secret", f"client_secret: '{make(3)}8Q~{make(34)}'"),
        ("Azure SAS", f"https://data.blob.core.windows.net/x?sv=2022-11-02&sig={make(43)}%3D"),
        ("DigitalOcean", "dop_v1_" + make(64, HEX)),
        ("Alibaba", "LTAI" + make(20, LOWER)),
        ("Cloudflare origin key", f"v1.0-{make(24, HEX)}-{make(146, HEX)}"),
        ("Cloudflare", f"cloudflare_api_token = '{make(40, LOWER + '_')}'"),
        ("Heroku", f"HEROKU_API_KEY={make.uuid()}"),
        ("Fly.io", f"fm2_{make(120)}"),
        ("Netlify", f"netlify_token = '{make(43, LOWER)}'"),
        ("Vault", "hvs." + make(96)),
        ("Terraform Cloud", f"{make(14)}.atlasv1.{make(64)}"),
        ("Doppler", "dp.pt." + make(43)),
        ("Pulumi", "pul-" + make(40, HEX)),
        ("PlanetScale", "pscale_tkn_" + make(40)),
        ("Databricks", "dapi" + make(32, HEX)),
        ("Supabase", "sbp_" + make(40, HEX)),
        ("Yandex Cloud", "AQVN" + make(36)),
        ("Tailscale", f"tskey-auth-{make(16)}-{make(32)}"),
    ]


def _code(make: _Make) -> Lines:
    return [
        ("GitHub token", "ghp_" + make(36)),
        ("GitHub OAuth", "gho_" + make(36)),
        ("GitHub app", "ghs_" + make(36)),
        ("GitHub refresh token", "ghr_" + make(36)),
        ("GitHub fine-grained", f"github_pat_{make(22)}_{make(59)}"),
        ("GitLab token", "glpat-" + make(20)),
        ("GitLab runner", "glrt-" + make(20)),
        ("GitLab deploy token", "gldt-" + make(20)),
        ("Bitbucket app password", "ATBB" + make(32)),
        ("Atlassian", f"ATATT3xFfGF0{make(172)}={make(8, '0123456789ABCDEF')}"),
        ("npm", "npm_" + make(36, LOWER)),
        (".npmrc", f"//registry.npmjs.org/:_authToken={make.uuid()}"),
        ("PyPI", f"pypi-AgEIcHlwaS5vcmc{make(80)}"),
        ("RubyGems", "rubygems_" + make(48, HEX)),
        ("NuGet", "oy2" + make(43, LOWER)),
        ("crates.io", "cio" + make(32)),
        ("Docker Hub", "dckr_pat_" + make(27)),
        ("Artifactory", "AKCp" + make(69)),
        ("CircleCI", f"CCIPAT_{make(22)}_{make(40, HEX)}"),
        ("Buildkite", "bkua_" + make(40, HEX)),
        ("SonarQube", "sqp_" + make(40, HEX)),
        ("Snyk", f"SNYK_TOKEN={make.uuid()}"),
        ("Sourcegraph", "sgp_" + make(40, HEX)),
        ("Postman", f"PMAK-{make(24, HEX)}-{make(34, HEX)}"),
        ("Sentry", f"sntryu_{make(64, HEX)}"),
        ("Grafana", f"glsa_{make(32)}_{make(8, HEX)}"),
        ("New Relic", "NRAK-" + make(27, UPPER)),
        ("Datadog", f"DD_API_KEY={make(32, HEX)}"),
        ("Linear", "lin_api_" + make(40)),
        ("Prefect", "pnu_" + make(36)),
    ]


def _models(make: _Make) -> Lines:
    return [
        ("Hugging Face", "hf_" + make(34, string.ascii_letters)),
        ("Hugging Face organisation", "api_org_" + make(34, string.ascii_letters)),
        ("OpenAI", f"sk-{make(20)}T3BlbkFJ{make(20)}"),
        ("OpenAI project", f"sk-proj-{make(74)}T3BlbkFJ{make(74)}"),
        ("Anthropic", f"sk-ant-api03-{make(93)}AA"),
        ("OpenRouter", "sk-or-v1-" + make(64, HEX)),
        ("Groq", "gsk_" + make(52)),
        ("xAI", "xai-" + make(80)),
        ("Perplexity", "pplx-" + make(48)),
        ("Replicate", "r8_" + make(37)),
        ("Cohere", f"COHERE_API_KEY='{make(40)}'"),
        ("NVIDIA", "nvapi-" + make(64)),
        ("Pinecone", f"pcsk_{make(6)}_{make(63)}"),
        ("LangSmith", f"lsv2_pt_{make(32, HEX)}_{make(10, HEX)}"),
        ("Langfuse", f"sk-lf-{make.uuid()}"),
        ("Weights & Biases", f"WANDB_API_KEY={make(40, HEX)}"),
        ("Kaggle", json.dumps({"username": "somebody", "key": make(32, HEX)})),
        ("RunPod", "rpa_" + make(44, UPPER)),
        ("Cerebras", "csk-" + make(48, LOWER)),
        ("Fireworks", "fw_" + make(24)),
        ("Tavily", "tvly-" + make(32)),
        ("Jina", "jina_" + make(60)),
    ]


def _services(make: _Make) -> Lines:
    return [
        ("Slack bot", f"xoxb-{make(12, string.digits)}-{make(12, string.digits)}-{make(24)}"),
        ("Slack app", f"xapp-1-A{make(10, UPPER)}-{make(13, string.digits)}-{make(64, HEX)}"),
        ("Slack webhook", f"https://hooks.slack.com/services/T{make(8, UPPER)}/B{make(8, UPPER)}/{make(24)}"),
        ("Discord bot", f"M{make(23)}.{make(6)}.{make(38)}"),
        ("Discord webhook", f"https://discord.com/api/webhooks/{make(18, string.digits)}/{make(68)}"),
        ("Teams webhook", f"https://team.webhook.office.com/webhookb2/{make.uuid()}@{make.uuid()}"
                          f"/IncomingWebhook/{make(32, LOWER)}/{make.uuid()}"),
        ("Telegram bot", f"telegram_token = '{make(10, '123456789')}:AA{make(33)}'"),
        ("Stripe", "sk_live_" + make(24)),
        ("Stripe restricted", "rk_live_" + make(24)),
        ("Stripe webhook", "whsec_" + make(32)),
        ("Square", f"sq0csp-{make(43)}"),
        ("Braintree", f"access_token$production${make(16, LOWER)}${make(32, HEX)}"),
        ("Shopify", "shpat_" + make(32, HEX)),
        ("Shippo", "shippo_live_" + make(40, HEX)),
        ("Twilio", "SK" + make(32, HEX)),
        ("SendGrid", f"SG.{make(22)}.{make(43)}"),
        ("Mailgun", "key-" + make(32, HEX)),
        ("Mailchimp", f"mailchimp_key = {make(32, HEX)}-us12"),
        ("Brevo", f"xkeysib-{make(64, HEX)}-{make(16)}"),
        ("Notion", "ntn_" + make(11, string.digits) + make(35)),
        ("Figma", "figd_" + make(40)),
        ("Airtable", f"pat{make(14)}.{make(64, HEX)}"),
        ("Dropbox", f"sl.{make(140)}"),
        ("Facebook", f"EAAM{make(120)}"),
        ("Mapbox", f"sk.{make(60)}.{make(22)}"),
        ("LaunchDarkly", f"launchdarkly_key = 'sdk-{make.uuid()}'"),
        ("Okta", f"okta_token = '00{make(40)}'"),
        ("1Password", f"A3-{make(6, UPPER)}-{make(11, UPPER)}-{make(5, UPPER)}-{make(5, UPPER)}-{make(5, UPPER)}"),
        ("Typeform", "tfp_" + make(59)),
        ("Algolia", f"algolia_admin_key = '{make(32, LOWER)}'"),
    ]  # fmt: skip


def _files(make: _Make) -> Lines:
    claims = ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": make(12)})
    header, payload = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in claims)
    key = "\n".join(make.base64(48) for _ in range(12))
    return [
        ("RSA key", _pem("RSA PRIVATE KEY", key)),
        ("PKCS 8 key", _pem("PRIVATE KEY", key)),
        ("encrypted key", _pem("ENCRYPTED PRIVATE KEY", key)),
        ("OpenSSH key", _pem("OPENSSH PRIVATE KEY", key)),
        ("elliptic curve key", _pem("EC PRIVATE KEY", key)),
        ("PGP key", _pem("PGP PRIVATE KEY BLOCK", key)),
        ("PuTTY key", f"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nPrivate-Lines: 2\n{key}"),
        ("age key", f"AGE-SECRET-KEY-1{make(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}"),
        ("service account", json.dumps({"type": "service_account", "private_key": _pem("PRIVATE KEY", key)})),
        ("JSON Web Token", f"{header}.{payload}.{make(43)}"),
        ("JSON Web Key", json.dumps({"kty": "RSA", "n": make(342), "e": "AQAB", "d": make(342)})),
        ("database address", f"postgres://admin:{make(12)}@db.internal:5432/app"),
        ("MongoDB address", f"mongodb+srv://admin:{make(16)}@cluster0.mongodb.net/app"),
        ("Redis address", f"redis://:{make(24)}@cache.internal:6379"),
        ("connection string", f"Server=db;Database=app;User Id=sa;Password={make(16)};"),
        ("Basic header", f"Authorization: Basic {make.base64(24)}"),
        ("Bearer header", f"Authorization: Bearer {make(40)}"),
        (".netrc", f"machine api.internal login somebody password {make(16)}"),
        ("Docker login", json.dumps({"auths": {"registry.internal": {"auth": make.base64(30)}}})),
        ("kubeconfig", f"    client-key-data: {make.base64(600)}"),
        ("Jupyter address", f"http://localhost:8888/lab?token={make(48, HEX)}"),
        ("Django", f"SECRET_KEY = 'django-insecure-{make(50, LOWER)}'"),
        ("Laravel", f"APP_KEY=base64:{make.base64(32)}"),
        ("named value", f"DATABASE_PASSWORD={make(20)}{make(2, string.digits)}"),
        ("named value in JSON", json.dumps({"api_key": make(32)})),
        ("named value in YAML", f"client_secret: {make(32)}"),
        ("named value in code", f'token = "{make(32)}"'),
    ]


def _pem(kind: str, text: str) -> str:
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----"
