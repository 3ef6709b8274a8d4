"""Insertion sort and merge sort of 99 elements in reverse order: the classic counts of their
lines."""


def insertion_sort(a):
    for i in range(1, len(a)):  #= hits 99
        key = a[i]  #= hits 98
        j = i - 1  #= hits 98
        while j >= 0 and a[j] > key:  #= hits 4949
            a[j + 1] = a[j]  #= hits 4851
            j -= 1  #= hits 4851
        a[j + 1] = key  #= hits 98
    return a  #= hits 1


def merge_sort(a):
    if len(a) <= 1:  #= hits 197
        return a  #= hits 99
    middle = len(a) // 2  #= hits 98
    left = merge_sort(a[:middle])  #= hits 98
    right = merge_sort(a[middle:])  #= hits 98
    result = []  #= hits 98
    i = j = 0  #= hits 98
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            result.append(left[i])  #= hits 0
            i += 1  #= hits 0
        else:
            result.append(right[j])
            j += 1
    return result + left[i:] + right[j:]  #= hits 98


if __name__ == "__main__":
    numbers = list(range(99, 0, -1))
    assert insertion_sort(numbers[:]) == merge_sort(numbers) == sorted(numbers)
