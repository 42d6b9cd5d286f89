"""What the pages of a sign-in that failed say, in the languages of the chat page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Notice(NamedTuple):
    """The title and the text of a page."""

    title: str
    text: str


class Notices(NamedTuple):
    """The pages in one language, and their link."""

    cancelled: Notice
    failed: Notice
    back: str


NOTICES: Mapping[str, Notices] = {
    "en": Notices(
        Notice(
            "You're not signed in",
            "The sign-in was cancelled, or Hugging Face refused it. Nothing was shared, and the page works without an "
            "account.",
        ),
        Notice(
            "Signing in didn't work",
            "Hugging Face didn't confirm the sign-in. Go back and try again. If you see this page in a frame, open it "
            "in a tab of its own: some browsers keep no cookies for frames.",
        ),
        "Back to the page",
    ),
    "de": Notices(
        Notice(
            "Sie sind nicht angemeldet",
            "Die Anmeldung wurde abgebrochen, oder Hugging Face hat sie abgelehnt. Es wurde nichts weitergegeben, und "
            "die Seite funktioniert auch ohne Konto.",
        ),
        Notice(
            "Die Anmeldung hat nicht funktioniert",
            "Hugging Face hat die Anmeldung nicht bestätigt. Gehen Sie zurück und versuchen Sie es noch einmal. Wenn "
            "Sie diese Seite in einem Rahmen sehen, öffnen Sie sie in einem eigenen Tab: Manche Browser speichern für "
            "Rahmen keine Cookies.",
        ),
        "Zurück zur Seite",
    ),
    "es": Notices(
        Notice(
            "No ha iniciado sesión",
            "El inicio de sesión se canceló o Hugging Face lo rechazó. No se ha compartido nada, y la página funciona "
            "sin cuenta.",
        ),
        Notice(
            "No se pudo iniciar sesión",
            "Hugging Face no confirmó el inicio de sesión. Vuelva e inténtelo de nuevo. Si ve esta página dentro de un "
            "marco, ábrala en su propia pestaña: algunos navegadores no guardan cookies para los marcos.",
        ),
        "Volver a la página",
    ),
    "fr": Notices(
        Notice(
            "Vous n’êtes pas connecté",
            "La connexion a été annulée, ou Hugging Face l’a refusée. Rien n’a été partagé, et la page fonctionne sans "
            "compte.",
        ),
        Notice(
            "La connexion n’a pas fonctionné",
            "Hugging Face n’a pas confirmé la connexion. Revenez en arrière et réessayez. Si vous voyez cette page "
            "dans un cadre, ouvrez-la dans son propre onglet : certains navigateurs ne gardent pas de cookies pour les "
            "cadres.",
        ),
        "Retour à la page",
    ),
    "zh-CN": Notices(
        Notice("您尚未登录", "登录已取消，或被 Hugging Face 拒绝。没有共享任何信息，不登录也可以使用本页。"),
        Notice(
            "登录未成功",
            "Hugging Face 没有确认登录。请返回重试。"
            "如果本页显示在框架中，请在单独的标签页中打开：有些浏览器不为框架保存 Cookie。",
        ),
        "返回页面",
    ),
}
