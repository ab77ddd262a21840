{#
  The customary names of the 25 cells of recency x frequency fifths (5 = most recent, most frequent).
  A lapsed customer is no recent one: at most a 2, in every fifth. NULL where a score is.
#}
{% macro rfm_segment(recency_score, frequency, is_lapsed) -%}
    {%- set recency = (
        "(case when "
        ~ is_lapsed
        ~ " and "
        ~ recency_score
        ~ " > 2 then 2 else "
        ~ recency_score
        ~ " end)"
    ) -%}
    case
        when {{ recency }} is null or {{ frequency }} is null
        then null
        when {{ recency }} = 5 and {{ frequency }} >= 4
        then 'champion'
        when {{ recency }} >= 3 and {{ frequency }} >= 4
        then 'loyal'
        when {{ recency }} >= 4 and {{ frequency }} >= 2
        then 'potential loyalist'
        when {{ recency }} = 5
        then 'new'
        when {{ recency }} = 4
        then 'promising'
        when {{ recency }} = 3 and {{ frequency }} = 3
        then 'needs attention'
        when {{ recency }} = 3
        then 'about to sleep'
        when {{ frequency }} = 5
        then 'cannot lose'
        when {{ frequency }} >= 3
        then 'at risk'
        else 'hibernating'
    end
{%- endmacro %}

{#
  Joins that give each of `customers` the figures of its `margin_segment` as `near` and those of all customers as
  `overall`: used for a customer without such a segment, or with too few customers in it. `by` splits the figures further.
#}
{% macro join_near_and_all(figures, by=none) -%}
    left join
        segments
        on customers.customer_key = segments.customer_key
        and segments.segment_by = '{{ var("margin_segment") }}'
    left join
        {{ figures }} as near
        on segments.segment_by = near.segment_by
        and segments.segment = near.segment
        {%- if by %} and customers.{{ by }} = near.{{ by }} {%- endif %}
    left join
        {{ figures }} as overall on overall.segment_by = 'all'
        {%- if by %} and customers.{{ by }} = overall.{{ by }} {%- endif %}
{%- endmacro %}
