"""Paths at which programs keep secrets, and whose they are."""

from __future__ import annotations

import re

# A pattern for the end of a path, or for a folder in it, in lower case. A look-ahead finds a word inside a name once;
# two `[^/]*` around it would read the name again from each of its words.
SECRET_PATHS = {
    "environment variables": r"\.env(?!\.example$)([._-][^/]*)?|[^/]*\.env|\.envrc|\.flaskenv",
    "Streamlit's secrets": r"\.streamlit/secrets\.toml",
    "secrets": r"\.?secrets?\.(toml|ya?ml|json|ini|env|txt|properties)|\.secrets?|secrets/.*",
    "credentials": r"[^/]*credentials?(\.(json|csv|toml|ya?ml|ini|txt|tfrc\.json|db))?|client_secret[^/]*\.json",
    "a cloud's service account": r"(?=[^/]*(service[-_]?account|adminsdk))[^/]*\.json"
                                 r"|application_default_credentials[^/]*",
    "AWS": r"\.aws/.*|\.boto|\.s3cfg|\.?passwd-s3fs|([^/]*_)?accesskeys\.csv|rootkey\.csv",
    "Google Cloud": r"(\.config/)?gcloud/.*",
    "Azure": r"\.azure/.*|[^/]*\.publishsettings",
    "Kubernetes": r"\.kube/.*|(?=[^/]*kubeconfig)[^/]*",
    "SSH": r"\.ssh/.*|id_(rsa|dsa|ecdsa|ed25519)(_sk)?(?!\.pub$)([._-][^/]*)?|ssh_host_[^/]*_key",
    "a private key": r"[^/]*\.(pem|key|p12|pfx|p8|pkcs12|ppk|jks|jceks|keystore|kdbx?|asc|gpg|pgp|ovpn|age)",
    "GnuPG": r"\.gnupg/.*|secring\.[^/]*",
    "logins of .netrc": r"[._]netrc",
    "a Hub token": r"(\.?huggingface|\.cache/huggingface|hf_home)/(token|stored_tokens)|stored_tokens",
    "Git's logins": r"\.git-credentials|\.config/(git|gh|hub|glab-cli)/.*|\.gitconfig",
    "a registry's login": r"\.npmrc|\.yarnrc(\.yml)?|\.pypirc|\.dockercfg|\.docker/.*|\.gem/.*|\.cargo/credentials.*"
                          r"|nuget\.config|\.m2/settings.*|\.config/containers/.*",
    "a database's login": r"\.pgpass|\.my\.cnf|\.mylogin\.cnf|\.dbshell|\.mongorc\.js|\.snowsql/.*|\.databrickscfg",
    "a service's login": r"\.kaggle/.*|kaggle\.json|\.modal\.toml|\.wandb/.*|\.netlify/.*|\.vercel/.*|\.fly/.*"
                         r"|\.openai(/.*)?|\.anthropic(/.*)?|\.config/(openai|anthropic|doctl|op|sops|rclone)/.*|rclone\.conf",
    "Terraform's state": r"(?=[^/]*\.tfstate([.-]|$))[^/]*|[^/]*\.tfvars(\.json)?|\.terraform(\.d|rc)?(/.*)?",
    "Vault": r"\.vault-token|\.vault[-_]?pass[^/]*",
    "password files": r"\.?htpasswd|\.passwd|\.?shadow|passwords?\.(txt|csv|json|ya?ml|xlsx?)|keytab|[^/]*\.keytab",
    "a shell's history": r"\.[a-z0-9_]*(_history|history|hsts)|\.local/share/fish/.*",
    "a browser's or notebook's state": r"login data|cookies(\.sqlite)?|key[34]\.db|logins\.json|\.jupyter/.*",
}  # fmt: skip
_PATTERNS = {name: re.compile(rf"(^|/)({pattern})$", re.DOTALL) for name, pattern in SECRET_PATHS.items()}


def secret_kind(path: str) -> str | None:
    """Return whose secrets are usually at this path, or None."""
    lower = path.lower().replace("\\", "/")
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(lower)), None)
