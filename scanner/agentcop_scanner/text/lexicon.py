"""The ideas that a hidden instruction to a model is made of, and the words for them in the languages it may come in.

Stems of lower-case words. A word matches a stem that it begins with; the last group of each idea is found anywhere,
because Chinese and Japanese put no space between words.
"""

from __future__ import annotations

import re
from typing import Final


def _idea(stems: str, whole: str = "", anywhere: str = "") -> re.Pattern[str]:
    """`stems` begin a word, `whole` are words, `anywhere` stand in the middle of others."""
    parts = []
    if stems:
        parts.append(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, stems.split()))})")
    if whole:
        words = [re.escape(word.replace("_", " ")) for word in whole.split()]
        parts.append(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])")
    parts.extend(re.escape(word) for word in anywhere.split())
    return re.compile("|".join(parts))


USER: Final = _idea(
    "user human developer operator anyone anybody nobody benutzer nutzer anwender utilisateur usuario usuária usuário"
    " utente gebruiker пользовател человек użytkownik",
    "them person people",
    "用户 使用者 用戶 ユーザー 利用者 사용자",
)
REPLY: Final = _idea(
    "",
    "your_reply your_answer your_response your_output your_message your_explanation your_summary in_chat final_answer"
    " the_answer deiner_antwort votre_réponse tu_respuesta sua_resposta tua_risposta",
    "回复中 回答中 回答に",
)
"""What the user will read."""
NOT: Final = _idea(
    "niemals kein jamais nunca jamás никогда",
    "not never avoid cannot don't dont won't can't shouldn't mustn't doesn't n't nie nicht ne pas no não nao"
    " non mai не niet"
    " nooit nigdy nie no_need_to refrain_from nothing nichts rien nada niente nulla niets nikomu ничего"
    " nobody_needs_to no_one_needs_to",
    "不要 不得 请勿 請勿 别 切勿 不能 不可 勿 ないで 決して 마세요",
)
ASK: Final = _idea(
    "ask consult confirm approv permission consent frag demand pregunt pergunt chied",
    "asking prior_consent",
    "询问 同意 確認",
)
"""Only after `without`: a call that nobody is asked about."""
WITHOUT: Final = _idea("", "without ohne sans sin sem senza без zonder bez", "ずに 없이 而不")
NOT_AFTER: Final = _idea("", "nicht niemals nie niet", "ない ず 않 말 마")
"""Of languages that say `not` after the verb."""
TELL: Final = _idea(
    "tell mention inform bring brought pointing bother highlight discuss talk_about draw_attention flag trouble"
    " hint notif reveal disclos report alert erwähn sag informier teile mitteil mitzuteil verrat melde"
    " mention révél rével avert prév mencion revel avis comunic conten dire dici rivel mostr сообща говор упомин раскры"
    " показыв уведомл vertel vermeld meld informeer toon zeig announc acknowledg wiedz powiad informuj",
    "say show display explain expose point raise refer alarm share_this share_that admit dis dites dig diga"
    " digas decir conte contes muestres wissen zeige surface_this"
    " surface_it let_the_user letting_the_user let_them_know letting_them_know let_him_know make_the_user_aware",
    "告诉 告訴 提及 告知 透露 通知 显示 提到 伝え 知らせ 言及 明かさ 表示 알리",
)
LEARN: Final = _idea(
    "notic bother troubl burden worri merk bemerk erfahr remarqu s'aperc enter notar darse perceb accorg узна замет",
    "know see learn find_out aware be_told be_informed be_shown be_asked be_notified be_alerted be_consulted"
    " realise realize suspect wissen savoir saber sapere",
    "知道 发现 察觉 気づ 知ら 알",
)
"""What the user is not to do."""
HUSH: Final = re.compile(
    r"\b(?:say nothing|stay silent|remain silent|between us|unaware|in the dark|without (?:the user's knowledge"
    r"|notice))\b"
    r"|\b(?:keep|keeping|hide|hiding|conceal|withhold)\b(?: \w{1,12}){0,3} (?:secret from|quiet about|from"
    r" (?:the |your |its )?"
    r"(?:user|human|person|people|developer|operator|customer|reviewer|client))"
    r"|\bhidden from (?:the )?(?:user|human|person|developer) (?:and|in|at|so|because)\b"
    r"|\b(?:nobody|no one) (?:needs|has|is) to (?:know|hear|see|notice|learn)\b"
    r"|\bgeheim(?:halten)?\b|\ben secreto\b|保密|内密|秘密に"
)
"""Says by itself that something is kept from somebody."""
LEFT_OUT: Final = re.compile(r"\b(?:(?:leave|leaving) (?:it|this|that|them) out|omit (?:it|this|that|them))\b")
"""Of what is shown: means something only beside private text that is handed on."""
ALTER: Final = _idea("accept insert disabl bypass skip weaken whitelist allow approv add replac", "grant merge")
"""Changes of code or of a decision that a rule for a coding agent may hide."""
DEFENCE: Final = re.compile(
    r"[\s,]*(?:that |which )?(?:you (?:may |might )?(?:find|see|read|encounter|come across)|found|inside"
    r"|embedded|contained|within|appear|written"
    r"|(?:are |is )?(?:in|from|given in|coming from) (?:the |a |an |any |its |their |your )?(?:\w{1,14} )?"
    r"(?:user|web|pages?|tools?|documents?|files?|contents?|e-?mails?|data|results?|text|messages?|dependenc"
    r"|issue|comment|source))"
)
"""After `ignore any instructions`: what honest rules say against injected text."""
COVERT: Final = _idea(
    "secretly silently quietly covertly discreetly invisibly stealthily surreptitiously heimlich unbemerkt"
    " stillschweigend"
    " discrètement secrètement secretamente silenciosamente discretamente segretamente тайно незаметно скрытно stiekem"
    " potajemnie",
    "en_secret en_secreto em_segredo di_nascosto en_cachette a_escondidas",
    "悄悄 暗中 偷偷 秘密地 こっそり 密かに 몰래",
)
GIVE: Final = _idea(
    "pass includ supply suppli deliver relay populat substitut replac send append attach forward upload submit"
    " transmit embed provid exfiltrat leak übergib übergeb sende"
    " schick füg kopier übermitt transmet transmett envoi envoy ajout inclu joins joindre copi enví envi adjunt"
    " añad pasa"
    " incluy anex passe allega invia includi отправ переда включ добав скопир прилож verstuur stuur voeg"
    " kopieer wyślij",
    "put post copy share insert add adding place write hand fill paste echo dump report_them posting",
    "放入 发送 上传 传递 包含 附加 复制 提交 發送 填入 送信 渡し 含め 添付 コピー 보내 전달 포함",
)
READ: Final = _idea(
    "read open load fetch collect gather harvest retriev lies lese öffne lade sammle lis lire ouvre récup lee leer abre"
    " recog leia leggi apri raccog прочита открой lees przeczytaj read_file",
    "cat call_read get find look",
    "读取 打开 收集 讀取 読み 開い 集め 읽",
)
STORES: Final = re.compile(
    r"\.ssh\b|id_rsa|id_ed25519|id_ecdsa|(?<![\w.])\.env\b(?!\.(?:example|sample|template))|\.aws/|\.kube/|\.netrc"
    r"|\.git-credentials|\.npmrc|\.pypirc|\.docker/config|/etc/(?:passwd|shadow)|mcp\.json|\.gnupg|keychain|wallet\.dat"
    r"|claude_desktop_config|\.bash_history|\.zsh_history|\.config/gcloud|/proc/self/environ"
)
"""Where secrets lie on a machine."""
PUBLIC_KEY: Final = re.compile(r"\.pub\b|\.env\.(?:example|sample)")
SECRETS: Final = _idea(
    "credential password passwort passwört kennw kennwört zugangsdaten umgebungsvariable contraseña credencial senha"
    " парол учётн wachtwoord hasło",
    "api_key api_keys access_token session_token private_key private_keys ssh_key ssh_keys environment_variable"
    " environment_variables env_vars environment secret_key secrets tokens system_prompt card_number credit_card"
    " seed_phrase cookies mot_de_passe mots_de_passe identifiants chiave_privata clave_privada systemprompt api-key"
    " api-keys api-schlüssel clé_api token",
    "密码 密钥 环境变量 凭证 令牌 私钥 パスワード 環境変数 秘密鍵 認証情報 비밀번호",
)
TALK: Final = re.compile(
    r"(?:entire|full|complete|whole|all(?: of)?(?: the)?|previous|prior|past|last|recent|latest)\s(?:\w{1,20}\s){0,3}"
    r"(?:conversation|chat|messages?|history|context|transcript|dialogue)"
    r"|(?:conversation|chat|message) (?:history|so far)|full text of the user|gesamten? (?:verlauf|gespräch|chat)"
    r"|toute la conversation|toda la conversación|toda a conversa|intera conversazione|完整的?对话|对话历史|会話履歴"
    r"|всю переписк"
)
"""All that was said, as a thing to hand on."""
PRECEDENCE: Final = re.compile(
    r"(?:before|prior to|after|ahead of) (?:using |calling |running |invoking |you (?:use|call) )?"
    r"(?:any|every|each|all|using this|calling this)\b"
    r"|takes? (?:priority|precedence) over|overrides? (?:all|any|every|other)|(?:priority|precedence) over"
    r" (?:every|all|any)"
    r"|when(?:ever)? \W?[\w.]{2,40}\W? (?:tool )?is (?:called|used|invoked|run|about to)"
    r"|when (?:this tool|the \w{2,40} tool) is (?:available|used|called|present)|whenever (?:you|the|a|another)\b"
    r"|(?:before|after|on|with) (?:each|every) (?:call|answer|reply|message|commit|response|request|use)"
    r"|instead of the (?:address|recipient|tool|url)|vor jede[mnr]|bevor du|avant chaque|avant d|antes de|prima"
    r" di|перед"
    r"|在使用|每次|使用する前|の前に"
)
OVERRIDE: Final = re.compile(
    r"(?:ignore|ignoring|disregard|forget|override|bypass|supersede)s?\s(?:\w{1,12}\s){0,3}"
    r"(?:previous|prior|above|earlier|preceding|all|any|system|safety|other|your)\s(?:\w{1,14}\s){0,2}"
    r"(?:instructions?|rules?|guidelines?|prompts?|policy|policies|directives?|restrictions?|guardrails?)\b"
    r"|(?:instructions?|rules?|guidelines?|restrictions?|guardrails?)[\w\s]{0,60} (?:no longer apply|no longer"
    r" hold|are void|are lifted)"
    r"|(?:previous|prior|earlier|your|system|safety|existing)\s(?:\w{1,14}\s){0,2}(?:instructions?|rules?"
    r"|guidelines?|restrictions?|guardrails?|polic(?:y|ies))"
    r" (?:is|are|have been|has been) (?:suspended|revoked|superseded|cancell?ed|void|overridden|lifted|disabled"
    r"|replaced|withdrawn)"
    r"|(?:ignore|disregard|forget|override) (?:the|your|all|any|every) (?:instructions?|rules?|guidelines?"
    r"|restrictions?|guardrails?|polic(?:y|ies))"
    r" (?:in|of|from|given by|set by) (?:the|your) (?:system|developer|operator|prompt)"
    r"|(?:ignoriere?|vergiss|missachte)\s(?:\w{1,12}\s){0,3}(?:anweisung|regel|vorgabe|instruktion)"
    r"|(?:ignore[zs]?|oublie[zs]?)\s(?:\w{1,12}\s){0,3}(?:instructions|consignes|règles)"
    r"|(?:ignora|olvida|ignore|esqueça|dimentica)\s(?:\w{1,12}\s){0,3}(?:instrucciones|reglas|instruções|regras"
    r"|istruzioni|regole)"
    r"|(?:игнорируй|забудь)\w{0,3}\s(?:\w{1,14}\s){0,3}(?:инструкци|правил)"
    r"|(?:忽略|无视|忘记|無視)[^。\n]{0,12}(?:指令|指示|规则|提示)|(?:指示|命令|ルール)を(?:すべて)?(?:無視|忘れ)"
)
MARKUP: Final = re.compile(
    r"<(?:important|system|instructions?|secret|hidden|admin|critical|override)>|<\|im_start\|>|<\|system\|>"
    r"|\[inst\]|<<sys>>"
    r"|(?:^|\n|[.!?] )\s{0,8}(?:system|assistant|developer)\s?(?:prompt|message|note)?:(?=\s)"
)
ADDRESS: Final = re.compile(r"https?://[^\s\"'`)>]{4,200}|<script|\b[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{2,64}")
SLOT: Final = re.compile(
    r"`[\w.]{1,40}`|'[\w.]{1,40}'|\"[\w.]{1,40}\"|\b(?:parameter|argument|field|param|feld|paramètre|parámetro"
    r"|campo)\b|参数|引数"
    r"|\b(?:as|als|dans|en|in|into) [a-zà-ÿ_]{2,30}\b|\bhere\b"
)
"""Where the thing read is to be put: a parameter of the tool."""
ITSELF: Final = _idea(
    "",
    "this it these dieses das davon dies esto eso cela ceci isso isto questo ciò это этом dit",
    "这 此 これ このこと それ",
)
QUOTED: Final = re.compile(
    r"\"[^\"\n]{0,300}\"|“[^”\n]{0,300}”|«[^»\n]{0,300}»|`[^`\n]{20,300}`"
    r"|\u2018[^\u2019\n]{12,300}\u2019"
)
SENTENCE: Final = re.compile(
    r"(?<=[.!?;])\s++|[。\uff01\uff1f\uff1b]|\n(?:[^\S\n]*+\n)+|\n(?=\s*+(?:[-*•#>]|\d{1,3}[.)]))"
)
