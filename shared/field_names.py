"""What an unknown field of job.json was meant to be: the word that other tools have for it, or a
known name with a slip of the finger.
"""

import difflib
import re
from collections.abc import Iterable

# Names that can be told as they are: they hold no text, no markup and nothing that steers a
# terminal.
HARMLESS = re.compile(r"[A-Za-z0-9_-]{1,64}")
# How alike a slip of the finger is (difflib's ratio): `modle` is like `model`, `beta` is not like
# `budget`.
CLOSE = 0.8

_MEANT = {
    "model": (
        "base_model base_model_name model_name model_id foundation_model engine pretrained_model"
    ),
    "method": "training_method fine_tuning_method finetuning_method task_type",
    "hyperparameters": "hyperparams hyper_parameters hyperparameter params training_arguments",
    "hyperparameters.n_epochs": (
        "epochs epoch num_epochs number_of_epochs num_train_epochs n_epoch nepochs max_epochs "
        "training_duration"
    ),
    "hyperparameters.batch_size": (
        "batch batchsize train_batch_size per_device_train_batch_size global_batch_size"
    ),
    "hyperparameters.learning_rate_multiplier": "learning_rate_mult lr_multiplier lr_mult",
    "suffix": "model_suffix custom_suffix name_suffix",
    "seed": "random_seed random_state data_seed",
    "training_type": "trainingtype train_type training_tier",
    "validation_split": "split val_split validation_ratio eval_split test_size validation_share",
    "deployment": "deploy deployments model_deployment",
    "deployment.name": "deployment_name deployment_id model_deployment_name",
    "deployment.sku": "sku_name deployment_sku deployment_type",
    "deployment.capacity": "deployment_capacity sku_capacity tpm scale_capacity tokens_per_minute",
    "deployment.rai_policy": "rai_policy_name content_filter content_policy filter_policy",
    "deployment.time_to_live_hours": "ttl ttl_hours time_to_live expires_after",
    "smoke_test": "smoke smoketest test smoke_tests",
    "smoke_test.messages": "prompt prompts question test_prompt test_messages",
    "smoke_test.expect": "expectation expectations",
    "smoke_test.expect.contains": "expected expected_answer must_contain include includes",
    "evaluation": "eval evaluate evaluations",
    "budget": "max_budget cost_limit limit_usd",
    "budget.usd": "budget_usd max_usd max_cost max_cost_usd dollars",
    "approval": "approve approver approvers require_approval",
    "notify": "notification notifications",
    "notify.url": "webhook webhook_url callback callback_url",
    "retention": "retain keep",
    "retention.days": "retention_days keep_days",
    "reuse": "reuse_of reuse_model deploy_only skip_training use_existing",
    "retrain": "force force_retrain train_again",
    "api_versions": "api_version apiversion",
}
_FOR_DPO = "it belongs to the method `dpo`, which is not supported yet"
_FOR_REINFORCEMENT = "it belongs to the method `reinforcement`, which is not supported yet"
_NO_SETTING = "the service has no such setting"
_NOTES = {
    _FOR_DPO: "beta l2_multiplier",
    _FOR_REINFORCEMENT: (
        "grader reasoning_effort compute_multiplier eval_interval eval_samples response_format"
    ),
    _NO_SETTING: (
        "prompt_loss_weight warmup_ratio warmup_steps weight_decay lr_scheduler "
        "lr_scheduler_type gradient_accumulation_steps optimizer "
        "optim lora lora_r lora_rank lora_alpha lora_dropout peft max_seq_length max_length "
        "context_length bf16 fp16 packing"
    ),
    "the training data is the blob training_set.jsonl": (
        "training_file train_file training_data training_set train_data_path dataset data train"
    ),
    "the validation data is the blob validation_set.jsonl": (
        "validation_file valid_file validation_data validation_set validation_dataset "
        "eval_file eval_dataset eval_data"
    ),
    (
        "set `hyperparameters.learning_rate_multiplier`, a factor on the service's own rate"
    ): "lr learning_rate",
    "job.json can't have comments": "comment comments _comment description note notes",
    "it is not supported": "integrations wandb mlflow metadata",
}
# Where the words come from: OpenAI's and Azure's create-job reference, Hugging Face's
# TrainingArguments, the Databricks fine-tuning API, and the fields' own names as people write them
# from memory.
_BY_WORD = {word: field for field, words in _MEANT.items() for word in words.split()}
_NOTE_BY_WORD = {word: note for note, words in _NOTES.items() for word in words.split()}


def meant(name: str, place: str, known: Iterable[str]) -> str | None:
    """What was meant by an unknown name, ready to stand in brackets: a field, by its whole path, or
    why there is none; None where nothing is near.

    `place` is the path of the object that the name stands in, `known` are the paths of all fields.
    """
    known, word = list(known), _spelt(name)
    field = _by_meaning(word, known) or _of_that_name(word, place, known)
    if field is None and word in _NOTE_BY_WORD:
        return _NOTE_BY_WORD[word]
    field = field or _by_slip(word, place, known)
    return f"did you mean `{field}`?" if field else None


def _spelt(name: str) -> str:
    """`nEpochs` and `n-epochs` as `n_epochs`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _by_meaning(word: str, known: list[str]) -> str | None:
    """The field that other tools call so."""
    field = _BY_WORD.get(word)
    # By its end: in the body of an HTTP start it stands under another object.
    return next(
        (path for path in known if field and (path == field or path.endswith(f".{field}"))), None
    )


def _of_that_name(word: str, place: str, known: list[str]) -> str | None:
    """The field of exactly this name: in the same object, else the only one anywhere."""
    same = [path for path in known if _leaf(path) == word]
    here = [path for path in same if _home(path) == place]
    return (here or same)[0] if here or len(same) == 1 else None


def _by_slip(word: str, place: str, known: list[str]) -> str | None:
    """The field whose name is closest, if it is close: in the same object first, then anywhere."""
    for paths in ([path for path in known if _home(path) == place], known):
        leaves = {_leaf(path): path for path in reversed(paths)}
        if near := difflib.get_close_matches(word, sorted(leaves), n=1, cutoff=CLOSE):
            return leaves[near[0]]
        if wrong := [leaf for leaf in sorted(leaves) if _one_letter_off(word, leaf)]:
            return leaves[wrong[0]]
    return None


def _one_letter_off(word: str, name: str) -> bool:
    """Whether a single letter of a short name is wrong, and not its first."""
    # Of so few letters no share says much.
    return (
        len(word) == len(name) >= 3
        and word[0] == name[0]
        and sum(a != b for a, b in zip(word, name, strict=True)) == 1
    )


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]


def _home(path: str) -> str:
    return path.rpartition(".")[0]
