"""scikit-learn: a random forest learns to tell three classes apart, and is scored. Argument:
trees."""

import sys

from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_score, train_test_split

trees = int(sys.argv[1])
values, classes = make_classification(2000, 20, n_informative=8, n_classes=3, random_state=1)
learn, test, of_learn, of_test = train_test_split(values, classes, random_state=1)
forest = RandomForestClassifier(trees, random_state=1, n_jobs=1).fit(learn, of_learn)
print(confusion_matrix(of_test, forest.predict(test)).tolist())
print([round(score, 4) for score in cross_val_score(RandomForestClassifier(trees // 4 + 1, random_state=2), values, classes, cv=3)])
