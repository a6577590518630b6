"""How the files are called that one stage leaves in a folder of `paths` and others look for."""

# In the dataset.
SPOKEN, LEAKY_SPLIT, SEGMENTS, PREPARED = "spoken.parquet", "leaky.parquet", "segments.parquet", "prepared.json"
# In what is learnt: encoders in folders of their own, each with its shape beside it.
ENCODER, LEAKY_ENCODER, SHAPE = "encoder", "leaky", "learnt.json"
COMMANDS, SPEAKERS, HISTORY = "commands.onnx", "speakers.onnx", "history.parquet"
# How questions are answered that are typed, and those that are heard.
ANSWERS, HEARD = "answers.json", "heard.json"
